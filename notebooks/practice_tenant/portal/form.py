"""What a browser posts: fields, and the one file a page asks for.

A page of the portal either sends a plain form or ``multipart/form-data`` (RFC 7578). Its parts are cut apart here, byte
for byte, because an e-mail parser would read a file line by line; their few headers are left to that parser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email import message_from_string
from email.message import Message
from email.utils import collapse_rfc2231_value

from ..messages import Request

MOST_PARTS = 20  # of a multipart form; the portal's have four at most
LONGEST_FIELD = 20_000  # characters of one field
LONGEST_HEAD = 4_000  # bytes of one part's headers
_MULTIPART = "multipart/form-data"
_BOUNDARY = re.compile(r"""[0-9A-Za-z'()+_,./:=? -]{1,70}""")  # RFC 2046, 5.1.1


@dataclass(frozen=True)
class Upload:
    """A file that was sent.

    Args:
        name: as the browser calls it, without a folder.
        data: its bytes.
    """

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Form:
    """Everything a page sent.

    Args:
        fields: name -> value; the first counts when one stands twice.
        lists: name -> all its values.
        files: name -> file.
    """

    fields: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A field without white space around it, empty when it was not sent."""
        return self.fields.get(name, "").strip()

    def all(self, name: str) -> list[str]:
        """Every value of a field: what boxes with one name were ticked."""
        return self.lists.get(name, [])


def read_form(request: Request) -> Form:
    """The form in a request's body; an empty one for a body that is none."""
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() == _MULTIPART:
        return _read_multipart(content_type, request.body)
    return _gathered([(name, value[:LONGEST_FIELD]) for name, value in request.form_pairs()], {})


def _read_multipart(content_type: str, body: bytes) -> Form:
    pairs: list[tuple[str, str]] = []
    files: dict[str, Upload] = {}
    for head, data in _parts(_boundary(content_type), body):
        name = _parameter(head, "name")
        file_name = _parameter(head, "filename")
        if name is None:
            continue
        if file_name is None:
            pairs.append((name, data.decode("utf-8", "replace")[:LONGEST_FIELD]))
        else:
            files.setdefault(name, Upload(_base_name(file_name), data))
    return _gathered(pairs, files)


def _boundary(content_type: str) -> bytes:
    """What stands between the parts; empty when the header names none that may be one."""
    named = _message({"Content-Type": content_type}).get_param("boundary")
    if isinstance(named, str) and _BOUNDARY.fullmatch(named):
        return named.encode("ascii")
    return b""


def _parts(boundary: bytes, body: bytes) -> list[tuple[Message, bytes]]:
    """Each part's headers and its bytes, as they came. What stands before the first or after the last is no part."""
    if not boundary:
        return []
    found = []
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary)[1 : MOST_PARTS + 1]:
        if piece.startswith(b"--"):
            break
        head, blank_line, data = piece.partition(b"\r\n\r\n")
        if blank_line and len(head) <= LONGEST_HEAD:
            found.append((message_from_string(head.decode("utf-8", "replace").strip()), data))
    return found


def _parameter(head: Message, name: str) -> str | None:
    """A parameter of the part's Content-Disposition."""
    try:
        value = head.get_param(name, header="content-disposition")
        return None if value is None else collapse_rfc2231_value(value)
    except (ValueError, LookupError, TypeError):  # what the parser says to a header that is none
        return None


def _message(headers: dict[str, str]) -> Message:
    message = Message()
    for name, value in headers.items():
        message[name] = value
    return message


def _base_name(name: str) -> str:
    """A file's name without its folder, which some browsers send along."""
    return name.replace("\\", "/").rpartition("/")[2][:200]


def _gathered(pairs: list[tuple[str, str]], files: dict[str, Upload]) -> Form:
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return Form({name: values[0] for name, values in lists.items()}, lists, files)
