"""``$filter`` as Graph takes it for users: eq, ne, ge, le, in, startsWith, endsWith, and, or, not.

What may be asked without the parameters of an advanced query follows the table of aad-advanced-queries.md.
"""

import re
from collections.abc import Callable
from typing import Any

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<time>\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?)|(?P<word>[A-Za-z_][\w/]*)|(?P<sign>[(),]))"
)
EQUAL = {
    "accountEnabled", "city", "country", "department", "displayName", "employeeId", "givenName", "id", "jobTitle",
    "mail", "mailNickname", "surname", "usageLocation", "userPrincipalName", "userType",
}  # fmt: skip
BEGINS = EQUAL - {"accountEnabled", "employeeId", "id", "userType"}
ADVANCED_EQUAL = {"companyName", "mobilePhone", "officeLocation", "preferredLanguage"}
TIMES = {"createdDateTime": False, "employeeHireDate": True}  # whether a comparison is an advanced query
ENDS = {"mail", "userPrincipalName"}

Test = Callable[[dict[str, Any]], bool | None]


class Refused(Exception):
    """400 with Graph's code and message."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code, self.message = code, message


def bad_clause() -> Refused:
    return Refused("BadRequest", "Invalid filter clause")


def lacks_parameters(operator: str) -> Refused:
    return Refused(
        "Request_UnsupportedQuery",
        f"Operator '{operator}' is not supported because the required parameters might be missing. Try adding "
        "$count=true query parameter and ConsistencyLevel:eventual header. Refer to "
        "https://aka.ms/graph-docs/advanced-queries for more information",
    )


def unsupported(name: str) -> Refused:
    if name == "id":
        message = "Invalid query specified. The 'id' property can only be used with the equals-match operator."
        return Refused("Request_UnsupportedQuery", message)
    return Refused(
        "Request_UnsupportedQuery",
        f"Unsupported or invalid query filter clause specified for property '{name}' of resource 'User'.",
    )


def parse(text: str, advanced: bool) -> Test:
    """The filter as a function of a user.

    Args:
        text: as it was sent, decoded.
        advanced: whether the request has both parameters of an advanced query.

    Raises:
        Refused: Graph would answer 400.
    """
    parser = Parser(text, advanced)
    test = parser.either()
    if parser.tokens:
        position = len(text) - len(parser.tokens[0][1])
        raise Refused("BadRequest", f"Invalid filter clause: Syntax error at position {position} in '{text}'.")
    return test


class Parser:
    def __init__(self, text: str, advanced: bool):
        self.advanced = advanced
        self.tokens = []
        place = 0
        while text[place:].strip():
            found = TOKEN.match(text, place)
            if not found:
                self.tokens.append(("rest", text[place:]))
                break
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            place = found.end()

    def next_is(self, word: str) -> bool:
        """Takes the next token when it is this one."""
        if self.tokens and self.tokens[0][1].lower() == word:
            self.tokens.pop(0)
            return True
        return False

    def need(self, sign: str) -> None:
        if not self.next_is(sign):
            raise bad_clause()

    def take(self, kind: str) -> str:
        if not self.tokens or self.tokens[0][0] != kind:
            raise bad_clause()
        return self.tokens.pop(0)[1]

    def either(self) -> Test:
        left = self.both()
        while self.next_is("or"):
            left = self.joined(any, left, self.both())
        return left

    def both(self) -> Test:
        left = self.single()
        while self.next_is("and"):
            left = self.joined(all, left, self.single())
        return left

    @staticmethod
    def joined(how: Callable[..., bool], left: Test, right: Test) -> Test:
        return lambda user: how((left(user), right(user)))

    def single(self) -> Test:
        if self.next_is("("):
            inner = self.either()
            self.need(")")
            return inner
        if self.next_is("not"):
            if not self.advanced:
                raise lacks_parameters("not")
            inner = self.single()
            return lambda user: not inner(user)
        name = self.take("word")
        if name.lower() in {"startswith", "endswith"} and self.next_is("("):
            return self.function(name.lower())
        return self.comparison(name)

    def function(self, name: str) -> Test:
        property_name = self.take("word")
        self.need(",")
        text = unquoted(self.take("text")).lower()
        self.need(")")
        if name == "endswith":
            if property_name not in ENDS:
                raise unsupported(property_name)
            if not self.advanced:
                raise lacks_parameters("endsWith")
            return lambda user: (user.get(property_name) or "").lower().endswith(text)
        if property_name not in BEGINS and not (self.advanced and property_name in ADVANCED_EQUAL):
            raise unsupported(property_name)
        return lambda user: (user.get(property_name) or "").lower().startswith(text)

    def comparison(self, name: str) -> Test:
        operator = self.take("word").lower()
        if operator not in {"eq", "ne", "ge", "le", "in"}:
            raise bad_clause()
        if operator == "ne" and not self.advanced:
            raise Refused("Request_UnsupportedQuery", "Filter operator 'NotEqualsMatch' is not supported.")
        if operator == "in":
            values = self.values()
            self.may_be_equal(name, values)
            return lambda user: lowered(user.get(name)) in values
        value = self.value()
        if name in TIMES:
            return self.time(name, operator, value)
        if operator in {"ge", "le"}:
            raise unsupported(name)
        self.may_be_equal(name, [value])
        if (name == "accountEnabled") != isinstance(value, bool) and value is not None:
            raise bad_clause()
        if operator == "ne":
            return lambda user: lowered(user.get(name)) != value
        return lambda user: lowered(user.get(name)) == value

    def may_be_equal(self, name: str, values: list[Any]) -> None:
        if name in EQUAL and (self.advanced or None not in values):
            return
        if not (self.advanced and name in ADVANCED_EQUAL):
            raise unsupported(name)

    def time(self, name: str, operator: str, value: Any) -> Test:
        if not isinstance(value, Time):
            raise bad_clause()
        if TIMES[name] and not self.advanced:
            raise unsupported(name)
        if operator == "ge":
            return lambda user: user.get(name) is not None and user[name] >= value
        if operator == "le":
            return lambda user: user.get(name) is not None and user[name] <= value
        raise unsupported(name)

    def values(self) -> list[Any]:
        self.need("(")
        values = [self.value()]
        while self.next_is(","):
            values.append(self.value())
        self.need(")")
        return values

    def value(self) -> Any:
        if not self.tokens:
            raise bad_clause()
        kind, text = self.tokens.pop(0)
        if kind == "text":
            return unquoted(text).lower()
        if kind == "time":
            return Time(text)
        constants = {"true": True, "false": False, "null": None}
        if text not in constants:
            raise bad_clause()
        return constants[text]


class Time(str):
    """A time as it was written, without quotes; ISO 8601 sorts like text."""

    __slots__ = ()


def unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'")


def lowered(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
