"""A tenant in the hands of a question: its addresses, a good request to change one thing in, and answers without names.

Everything here only reads. Refused sign-ins are written to the tenant's sign-in log, like those of any program.
"""

import base64
import hashlib
import re
import secrets
import time
import uuid
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import jwt
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from workbook import Bench

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
WELL_KNOWN = {"00000003-0000-0000-c000-000000000000", "14d82eec-204b-4c2f-b7e8-296a70dab67e"}
GUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
ADDRESS = re.compile(r"[\w.+'#-]+@(?!odata\.|microsoft\.)[\w-]+(?:\.[\w-]+)+")


class Side:
    """One of the two tenants that are compared.

    Args:
        bench: open, with a certificate, and with consent to User.Read.All.
    """

    def __init__(self, bench: Bench):
        self.bench = bench
        self.host, _, self._tenant = bench.authority.rpartition("/")
        self.certificate = x509.load_pem_x509_certificate(bench.certificate.encode())
        self.key = load_pem_private_key(bench.private_key.encode(), None)

    # --- Entra ID -----------------------------------------------------------------------------------------------

    def get(self, path: str, **query: str) -> requests.Response:
        """A GET to the sign-in host."""
        return self.bench.session.get(self.host + path, params=query)

    def discovery(self, tenant: str) -> requests.Response:
        return self.get(f"/{tenant}/v2.0/.well-known/openid-configuration")

    def token(
        self, tenant: str | None = None, headers: dict[str, str] | None = None, **changes: Any
    ) -> requests.Response:
        """A good request for a token, with some of its fields changed; None leaves a field out."""
        address = f"{self.host}/{tenant or self.bench.tenant_id}/oauth2/v2.0/token"
        fields = self.form() | changes
        form = {name: value for name, value in fields.items() if value is not None}
        return self.bench.session.post(address, data=form, headers=headers)

    def form(self) -> dict[str, Any]:
        return {
            "client_id": self.bench.client_id,
            "grant_type": "client_credentials",
            "scope": GRAPH_SCOPE,
            "client_assertion_type": ASSERTION,
            "client_assertion": self.assertion(),
        }

    def signed(self, header: dict[str, Any] | None = None, **claims: Any) -> requests.Response:
        """A request for a token in whose assertion some members of the header and some claims are changed."""
        return self.token(client_assertion=self.assertion(header, **claims))

    def assertion(self, header: dict[str, Any] | None = None, *, key: Any = None, **claims: Any) -> str:
        """A good assertion, but for these members of its header and these claims; None leaves one out."""
        now = int(time.time())
        good = {
            "aud": f"{self.host}/{self.bench.tenant_id}/oauth2/v2.0/token",
            "iss": self.bench.client_id,
            "sub": self.bench.client_id,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "nbf": now,
            "exp": now + 300,
        }
        kept = {name: value for name, value in (good | claims).items() if value is not None}
        head = {
            name: value for name, value in ({"x5t": self.thumbprint()} | (header or {})).items() if value is not None
        }
        return jwt.encode(kept, key or self.key, head.pop("alg", "RS256"), head)

    def thumbprint(self, algorithm: str = "sha1") -> str:
        """Of the daemon's certificate, in base64url without padding."""
        return thumbprint(self.certificate, algorithm)

    @cached_property
    def granted(self) -> dict[str, Any]:
        """The answer to a good request: the token that this side asks Graph with."""
        answer = self.token()
        answer.raise_for_status()
        return answer.json()

    def claims(self) -> dict[str, Any]:
        return jwt.decode(self.granted["access_token"], options={"verify_signature": False})

    # --- Graph --------------------------------------------------------------------------------------------------

    def graph(
        self, path: str, *, eventual: bool = False, token: str | None = None, **headers: str
    ) -> requests.Response:
        """A GET to Graph; `path` may be a whole address, as in a nextLink. An empty `token` sends none."""
        address = path if path.startswith("https://") else self.bench.graph_endpoint + path
        if not address.startswith(f"{self.bench.graph_endpoint}/"):
            raise ValueError("this address is not at Graph, so it gets no token")
        bearer = self.granted["access_token"] if token is None else token
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        if eventual:
            headers["ConsistencyLevel"] = "eventual"
        return self.bench.session.get(address, headers=headers)

    def batch(self, *steps: dict[str, Any]) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.granted['access_token']}"}
        return self.bench.session.post(f"{self.bench.graph_endpoint}/$batch", json={"requests": steps}, headers=headers)

    @cached_property
    def somebody(self) -> dict[str, Any]:
        """Id and sign-in name of a user who did not come as a guest."""
        answer = self.graph("/users?$select=id,userPrincipalName&$top=100")
        answer.raise_for_status()
        return next(user for user in answer.json()["value"] if "#EXT#" not in user["userPrincipalName"])

    @property
    def domain(self) -> str:
        """A domain of the tenant."""
        return str(self.somebody["userPrincipalName"]).rpartition("@")[2]

    # --- answers without names ----------------------------------------------------------------------------------

    def cut(self, text: str) -> str:
        """The text with everything that belongs to this tenant or this moment replaced by a word for it."""
        own = {
            self.bench.tenant_id: "‹tenant id›",
            self._tenant: "‹tenant›",
            str(self.bench.client_id): "‹client id›",
            self.bench.graph_endpoint: "‹graph›",
            "https://graph.microsoft.com/v1.0": "‹graph›",
            "https://login.microsoftonline.com": "‹sign-in host›",
            self.host: "‹sign-in host›",
            urlsplit(self.host).netloc: "‹sign-in host›",
            urlsplit(self.bench.graph_endpoint).netloc: "‹graph host›",
        }
        if "somebody" in self.__dict__:  # looked up before the question was asked
            own[self.domain] = "‹domain›"
        text = ADDRESS.sub("‹address›", text)  # as a whole, before its domain is cut out of it
        for value, word in own.items():
            text = text.replace(value, word)
        text = re.sub(r"(in the directory )'[^']*'", r"\1'‹name›'", text)
        text = re.sub(r"(in the tenant named ).*?(\. This can happen)", r"\1‹name›\2", text)
        return cut(text)

    def refusal(self, answer: requests.Response) -> dict[str, Any]:
        """What Entra ID says no with."""
        body = json_of(answer)
        return {
            "status": answer.status_code,
            "error": body.get("error"),
            "codes": body.get("error_codes"),
            "says": self.cut(str(body.get("error_description")).partition(" Trace ID:")[0].partition("\r\n")[0]),
        }

    def outcome(self, answer: requests.Response) -> str:
        """A word or two about an answer of the token endpoint."""
        if answer.ok:
            return "a token" if "access_token" in json_of(answer) else "no token"
        return f"{answer.status_code} {json_of(answer).get('error')} {json_of(answer).get('error_codes')}"

    def graph_refusal(self, answer: requests.Response) -> dict[str, Any]:
        """What Graph says no with; status alone when it says yes."""
        error = json_of(answer).get("error")
        if not isinstance(error, dict):
            return {"status": answer.status_code}
        return {"status": answer.status_code, "code": error.get("code"), "says": self.cut(str(error.get("message")))}


def json_of(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def thumbprint(certificate: x509.Certificate, algorithm: str = "sha1") -> str:
    digest = hashlib.new(algorithm, certificate.public_bytes(Encoding.DER)).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def cut(text: str) -> str:
    """The text without ids, addresses of people, thumbprints, tokens of pages, and times."""
    text = re.sub(r"eyJ[\w.-]{20,}", "‹token›", text)
    text = GUID.sub(lambda found: found[0] if found[0].lower() in WELL_KNOWN else "‹id›", text)
    text = ADDRESS.sub("‹address›", text)
    text = re.sub(r"\b[0-9A-Fa-f]{40,64}\b", "‹thumbprint›", text)
    text = re.sub(r"\b(?:19|20)\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?", "‹time›", text)
    text = re.sub(r"\b\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", "‹time›", text)
    return re.sub(r"(skiptoken=|deltatoken=)[^&\s\"]+", r"\1‹…›", text, flags=re.IGNORECASE)


def unknown_id() -> str:
    """An id that nothing has."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
