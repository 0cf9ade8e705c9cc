"""Microsoft Graph: users, delta, batch, and as much of applications as registering a daemon takes.

Sources: graph docs user-list.md, paging.md, aad-advanced-queries.md, delta-query-overview.md, json-batching.md,
application-*.md, serviceprincipal-*.md; recordings of azure-cli; bodies of refusals quoted in public issues.
"""

import json
import re
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import jwt

from .answers import Answer, Asked, new_id, now
from .directory import GRAPH_APP, GRAPH_PRINCIPAL, App, Directory, Principal
from .entra import Entra
from .filters import Refused, bad_clause, parse
from .people import ORDER, person

JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
USER_READERS = {"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
KNOWN = set(person(100, "a", "b"))
SORTED_BY_DEFAULT = {"displayName", "userPrincipalName"}
NOT_IN_LISTS = {
    "aboutMe", "birthday", "hireDate", "interests", "mySite", "pastProjects", "preferredName", "responsibilities",
    "schools", "skills", "mailboxSettings",
}  # fmt: skip
NO_PRIVILEGES = ("Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


class Problem(Exception):
    """A refusal: status, code and message."""

    def __init__(self, status: int, code: str, message: str):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def not_there(name: str) -> Problem:
    return Problem(
        404,
        "Request_ResourceNotFound",
        f"Resource '{name}' does not exist or one of its queried reference-property objects are not present.",
    )


class Graph:
    """`page` is the most users on a page, `first_page` as many as come without ``$top``."""

    def __init__(self, directory: Directory, entra: Entra, page: int, first_page: int):
        self.directory, self.entra = directory, entra
        self.page, self.first_page = page, first_page
        self.page_tokens: dict[str, dict[str, Any]] = {}
        self.busy = 0  # how many of the next answers are 429

    def answer(self, asked: Asked) -> Answer:
        """One request to Graph's host."""
        if self.busy:
            self.busy -= 1
            return self._throttled(asked)
        try:
            answer = self._dispatch(asked)
        except Problem as problem:
            answer = self._refused(asked, problem.status, problem.code, problem.message)
        except Refused as refused:
            answer = self._refused(asked, 400, refused.code, refused.message)
        return self._with_headers(asked, answer)

    def _with_headers(self, asked: Asked, answer: Answer) -> Answer:
        request_id = answer.headers.setdefault("request-id", new_id())
        answer.headers["client-request-id"] = asked.headers.get("client-request-id", request_id)
        answer.headers["strict-transport-security"] = "max-age=31536000"
        answer.headers["cache-control"] = "no-cache"
        answer.headers["vary"] = "Accept-Encoding"
        server = {"DataCenter": "Norway East", "Slice": "E", "Ring": "3", "ScaleUnit": "001", "RoleInstance": "HAVN1"}
        answer.headers["x-ms-ags-diagnostic"] = json.dumps({"ServerInfo": server}, separators=(",", ":"))
        if answer.status < 300 and answer.body is not None:
            answer.headers["odata-version"] = "4.0"
        return answer

    def _refused(self, asked: Asked, status: int, code: str, message: str) -> Answer:
        request_id = new_id()
        inner = {
            "client-request-id": asked.headers.get("client-request-id", request_id),
            "date": f"{now():%Y-%m-%dT%H:%M:%S}",
            "request-id": request_id,
        }
        error = {"code": code, "message": message, "innerError": inner}
        answer = Answer(status, {"error": error}, {"request-id": request_id}, "application/json")
        if status == 401:
            page = "https://login.microsoftonline.com/common/oauth2/authorize"
            said = f'Bearer realm="", authorization_uri="{page}", client_id="{GRAPH_APP}"'
            answer.headers["www-authenticate"] = said
        return answer

    def _throttled(self, asked: Asked) -> Answer:
        answer = self._refused(asked, 429, "TooManyRequests", "Please retry again later.")
        answer.headers["retry-after"] = "1"
        return self._with_headers(asked, answer)

    # --- who asks, and for what -------------------------------------------------------------------------------

    def _dispatch(self, asked: Asked) -> Answer:
        claims = self._claims(asked)
        if asked.path[:1] != ["v1.0"]:
            raise Problem(400, "BadRequest", "Invalid version")
        path = [part for segment in asked.path[1:] for part in split_key(segment)]
        path = path[1:] if path[:1] == ["myorganization"] else path
        match [segment.lower() if number == 0 else segment for number, segment in enumerate(path)]:
            case ["users", *rest]:
                self._may(claims, USER_READERS)
                return self._users(rest, asked)
            case ["me", *_]:
                raise Problem(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
            case ["$batch"]:
                return self._batch(asked)
            case ["applications", *rest]:
                return self._applications(rest, asked, claims)
            case ["serviceprincipals", *rest]:
                return self._principals(rest, asked, claims)
            case ["directory", "deletedItems", key]:
                return self._deleted(key, asked, claims)
            case ["organization"]:
                self._may(claims, {"Directory.Read.All", "Directory.ReadWrite.All"})
                return self._organization(asked)
            case [segment, *_]:
                raise Problem(400, "BadRequest", f"Resource not found for the segment '{segment}'.")
        raise Problem(501, "NotImplemented", "This operation target is not yet supported.")

    def _claims(self, asked: Asked) -> dict[str, Any]:
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Problem(401, "InvalidAuthenticationToken", "Access token is empty.")
        if "." not in token:
            raise Problem(
                401,
                "InvalidAuthenticationToken",
                "IDX14100: JWT is not well formed, there are no dots (.).\nThe token needs to be in JWS or JWE Compact "
                "Serialization Format. (JWS): 'EncodedHeader.EncodedPayload.EncodedSignature'. (JWE): 'EncodedProtected"
                "Header.EncodedEncryptedKey.EncodedInitializationVector.EncodedCiphertext.EncodedAuthenticationTag'.",
            )
        try:
            return self.entra.claims_of(token)
        except jwt.ExpiredSignatureError:
            message = "Lifetime validation failed, the token is expired."
        except jwt.InvalidAudienceError:
            message = "Access token validation failure. Invalid audience."
        except jwt.InvalidTokenError:
            message = "Signature is invalid."
        raise Problem(401, "InvalidAuthenticationToken", message)

    @staticmethod
    def _may(claims: dict[str, Any], suffices: set[str]) -> None:
        has = {*claims.get("roles", []), *claims.get("scp", "").split()}
        if not has & suffices:
            raise Problem(403, *NO_PRIVILEGES)

    def _organization(self, asked: Asked) -> Answer:
        one = {"id": self.directory.tenant_id, "displayName": None, "verifiedDomains": [], "businessPhones": []}
        context = f"{asked.base}/v1.0/$metadata#organization"
        return Answer(200, {"@odata.context": context, "value": [one]}, {}, JSON)

    # --- users ------------------------------------------------------------------------------------------------

    def _users(self, rest: list[str], asked: Asked) -> Answer:
        if asked.method != "GET":
            raise Problem(403, *NO_PRIVILEGES)
        advanced = asked.headers.get("consistencylevel", "").lower() == "eventual"
        match rest:
            case []:
                return self._list(asked, advanced)
            case ["$count"]:
                return self._count(asked, advanced)
            case ["delta" | "delta()" | "microsoft.graph.delta"]:
                return self._delta(asked)
            case [key]:
                return self._one(key, asked)
        raise Problem(400, "BadRequest", f"Resource not found for the segment '{rest[1]}'.")

    def _list(self, asked: Asked, advanced: bool) -> Answer:
        query = {name.lower(): value for name, value in asked.query.items()}
        if "$skip" in query:
            raise Problem(400, "Request_BadRequest", "'$skip' is not supported by the service.")
        names = names_in(query)
        if NOT_IN_LISTS & set(names):
            raise Problem(501, "NotImplemented", "This operation target is not yet supported.")
        size = self._size(query)
        counts = advanced and query.get("$count", "").lower() == "true"
        if "$skiptoken" in query and "$filter" in query and "$count" in query and not advanced:
            raise Problem(400, "Request_UnsupportedQuery", "Unsupported Query.")
        if "$search" in query and not advanced:
            message = "Request with $search query parameter only works through MSGraph with a special request header: "
            raise Problem(400, "Request_UnsupportedQuery", message + "'ConsistencyLevel: eventual'")
        found = self._found(query, counts)
        begin = self._begin(query)
        page = [chosen(user, names) for user in found[begin : begin + size]]
        context = f"{asked.base}/v1.0/$metadata#users" + (f"({','.join(names)})" if names else "")
        body: dict[str, Any] = {"@odata.context": context}
        if counts and not begin:
            body["@odata.count"] = len(found)
        if begin + size < len(found):
            body["@odata.nextLink"] = self._link(asked, query, begin + size)
        units = "1" if names or size < 20 else "2"
        return Answer(200, body | {"value": page}, {"x-ms-resource-unit": units}, JSON)

    def _size(self, query: dict[str, str]) -> int:
        top = query.get("$top", "")
        if not top:
            return self.first_page
        if not top.isdigit() or not 1 <= int(top) <= 999:
            message = f"Invalid page size specified: '{top}'. Must be between 1 and 999 inclusive."
            raise Problem(400, "Request_UnsupportedQuery", message)
        return min(int(top), self.page)

    def _found(self, query: dict[str, str], advanced: bool) -> list[dict[str, Any]]:
        found, order = self.directory.users, query.get("$orderby", "")
        if "$search" in query:
            found = self._searched(query["$search"])
        if order and "$filter" in query and not advanced:
            raise Problem(400, "Request_UnsupportedQuery", "Sorting not supported for current query.")
        if "$filter" in query:
            test = parse(query["$filter"], advanced)
            found = [user for user in found if test(user)]
        if order:
            name, _, direction = order.partition(" ")
            if name not in SORTED_BY_DEFAULT:
                raise Problem(400, "Request_UnsupportedQuery", "Sorting not supported for current query.")
            found = sorted(found, key=lambda user: user[name].lower(), reverse=direction.lower() == "desc")
        return found

    def _searched(self, text: str) -> list[dict[str, Any]]:
        """Users of whom one clause is true: a word of the name, or the beginning of another property."""
        clauses = re.findall(r'"(\w+):([^"]*)"', text)
        if not clauses:
            raise Problem(400, "BadRequest", f"Syntax error: character ':' is not valid at position 11 in '{text}'.")
        lowered = [(name, words.lower()) for name, words in clauses]
        return [
            user
            for user in self.directory.users
            if any(word.startswith(begin) for name, begin in lowered for word in words_of(user, name))
        ]

    def _begin(self, query: dict[str, str]) -> int:
        token = query.get("$skiptoken")
        if token is None:
            return 0
        known = self.page_tokens.get(token)
        if known is None or known["query"] != without_token(query):
            raise Problem(400, "Request_BadRequest", "Invalid Skip Token")
        begin: int = known["begin"]
        return begin

    def _link(self, asked: Asked, query: dict[str, str], begin: int) -> str:
        token = "X'" + secrets.token_hex(40) + "'"
        self.page_tokens[token] = {"begin": begin, "query": without_token(query)}
        options = urlencode(without_token(query) | {"$skiptoken": token}, quote_via=quote, safe="$")
        return f"{asked.base}/v1.0/users?{options}"

    def _count(self, asked: Asked, advanced: bool) -> Answer:
        if not advanced:
            raise Problem(
                400,
                "Request_UnsupportedQuery",
                "Raw count (/$count) is not supported because the 'ConsistencyLevel:eventual' header is missing. Refer "
                "to https://aka.ms/graph-docs/advanced-queries for more information",
            )
        query = {name.lower(): value for name, value in asked.query.items()}
        number = str(len(self._found(query, True)))
        is_step = "host" not in asked.headers
        return Answer(200, number if is_step else f"\ufeff{number}", {}, "text/plain")  # nobody says that no mark comes

    def _one(self, key: str, asked: Asked) -> Answer:
        user = self.directory.by_key.get(key.lower())
        if user is None:
            raise not_there(key)
        names = names_in({name.lower(): value for name, value in asked.query.items()})
        context = f"{asked.base}/v1.0/$metadata#users" + (f"({','.join(names)})" if names else "") + "/$entity"
        return Answer(200, {"@odata.context": context} | chosen(user, names), {"x-ms-resource-unit": "1"}, JSON)

    def _delta(self, asked: Asked) -> Answer:
        query = {name.lower(): value for name, value in asked.query.items()}
        token = query.get("$skiptoken") or query.get("$deltatoken")
        if token == "latest":
            state = {"names": names_in(query), "begin": len(self.directory.users)}
        elif token:
            if token not in self.page_tokens:
                message = "DeltaLink older than 30 days is not supported."
                raise Problem(400, "Request_UnsupportedQuery", message)
            state = self.page_tokens[token]
        else:
            state = {"names": names_in(query), "begin": 0}
        begin, names = state["begin"], state["names"]
        users = self.directory.users[begin : begin + 150]
        value = [{"id": user["id"]} | {k: v for k, v in chosen(user, names).items() if v is not None} for user in users]
        body: dict[str, Any] = {"@odata.context": f"{asked.base}/v1.0/$metadata#users", "value": value}
        end = begin + len(users)
        kind, name = ("skip", "nextLink") if end < len(self.directory.users) else ("delta", "deltaLink")
        following = secrets.token_urlsafe(60)
        self.page_tokens[following] = {"names": names, "begin": end}
        body[f"@odata.{name}"] = f"{asked.base}/v1.0/users/delta?${kind}token={following}"
        return Answer(200, body, {}, JSON)

    # --- several questions in one request ---------------------------------------------------------------------

    def _batch(self, asked: Asked) -> Answer:
        steps = json.loads(asked.body)["requests"]
        keys = [str(step["id"]).lower() for step in steps]
        for key in keys:
            if keys.count(key) > 1:
                raise Problem(400, "BadRequest", f"Request Id {key} has to be unique in a batch.")
        if len(steps) > 20:
            raise Problem(400, "BadRequest", "Number of batch request steps exceeds the maximum value of 20.")
        answers: dict[str, dict[str, Any]] = {}
        while len(answers) < len(steps):
            for step in reversed(steps):  # the order is not that of the questions
                waits_for = [str(key) for key in step.get("dependsOn") or []]
                if str(step["id"]) not in answers and all(key in answers for key in waits_for):
                    failed = any(answers[key]["status"] >= 400 for key in waits_for)
                    answers[str(step["id"])] = self._failed_before(step) if failed else self._step(step, asked)
        return Answer(200, {"responses": list(answers.values())}, {}, JSON)

    @staticmethod
    def _failed_before(step: dict[str, Any]) -> dict[str, Any]:
        error = {"code": "FailedDependency", "message": "Failed Dependency"}
        return {"id": step["id"], "status": 424, "headers": {}, "body": {"error": error}}

    def _step(self, step: dict[str, Any], asked: Asked) -> dict[str, Any]:
        parts = urlsplit(step["url"])
        headers = {name.lower(): value for name, value in (step.get("headers") or {}).items()}
        inner = Asked(
            step["method"],
            ["v1.0", *[part for part in parts.path.split("/") if part]],
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {"authorization": asked.headers.get("authorization", "")} | headers,
            json.dumps(step.get("body")).encode(),
            asked.base,
        )
        answer = self.answer(inner)
        return {
            "id": step["id"],
            "status": answer.status,
            "headers": {"Content-Type": answer.content_type} | answer.headers,
            "body": answer.body,
        }

    # --- applications and what they may do --------------------------------------------------------------------

    def _applications(self, rest: list[str], asked: Asked, claims: dict[str, Any]) -> Answer:
        self._may(claims, {"Application.ReadWrite.All"})
        body = json.loads(asked.body) if asked.body else {}
        if not rest and asked.method == "POST":
            app = App(body["displayName"], body.get("signInAudience", "AzureADandPersonalMicrosoftAccount"))
            app.wishes = body.get("requiredResourceAccess", [])
            app.put_certificates(body.get("keyCredentials", []))
            self.directory.apps.append(app)
            return Answer(201, app.as_json(), {}, JSON)
        if not rest:
            return self._collection("applications", asked, self.directory.apps)
        app = self._there(self.directory.app, rest[0])
        if asked.method == "DELETE":
            self.directory.delete(app)
            return Answer(204)
        if asked.method == "PATCH":
            if "keyCredentials" in body:
                app.put_certificates(body["keyCredentials"])
            app.wishes = body.get("requiredResourceAccess", app.wishes)
            return Answer(204)
        return Answer(200, app.as_json(), {}, JSON)

    def _principals(self, rest: list[str], asked: Asked, claims: dict[str, Any]) -> Answer:
        self._may(claims, {"Application.ReadWrite.All"})
        body = json.loads(asked.body) if asked.body else {}
        match asked.method, rest:
            case "POST", []:
                return self._new_principal(body)
            case "GET", []:
                return self._collection("servicePrincipals", asked, self.directory.principals)
            case "GET", [key]:
                return Answer(200, self._there(self.directory.principal, key).as_json(), {}, JSON)
            case "GET", [key, "appRoleAssignments"]:
                return Answer(200, {"value": self._there(self.directory.principal, key).assignments()}, {}, JSON)
            case "POST", [_, "appRoleAssignedTo" | "appRoleAssignments"]:
                self._may(claims, {"AppRoleAssignment.ReadWrite.All"})
                return self._new_assignment(body)
        raise Problem(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")

    def _new_principal(self, body: dict[str, Any]) -> Answer:
        app = self.directory.app(body["appId"])
        if app is None or app.lag:
            if app:
                app.lag -= 1
            message = f"The appId '{body['appId']}' of the service principal does not reference a valid application "
            raise Problem(400, "NoBackingApplicationObject", message + "object.")
        app.lag = 1  # Entra ID hears of it later than Graph
        principal = Principal(app.app_id, app.name, tags=body.get("tags", []))
        self.directory.principals.append(principal)
        return Answer(201, principal.as_json(), {}, JSON)

    def _new_assignment(self, body: dict[str, Any]) -> Answer:
        principal = self.directory.principal(body["principalId"])
        if principal is None or body["resourceId"] != GRAPH_PRINCIPAL:
            raise not_there(body["principalId"])
        principal.roles[secrets.token_urlsafe(32)] = body["appRoleId"]
        principal.lag = 1
        return Answer(201, principal.assignments()[-1], {}, JSON)

    def _deleted(self, key: str, asked: Asked, claims: dict[str, Any]) -> Answer:
        self._may(claims, {"Application.ReadWrite.All"})
        app = next((one for one in self.directory.deleted if one.object_id == key), None)
        if app is None:
            raise not_there(key)
        if asked.method == "DELETE":
            self.directory.deleted.remove(app)
            return Answer(204)
        return Answer(200, app.as_json(), {}, JSON)

    def _collection(self, name: str, asked: Asked, objects: list[Any]) -> Answer:
        found = [one.as_json() for one in objects]
        if "$filter" in asked.query:
            match = re.fullmatch(r"(displayName|appId) eq '((?:[^']|'')*)'", asked.query["$filter"])
            if not match:
                raise bad_clause()
            found = [one for one in found if one[match[1]] == match[2].replace("''", "'")]
        return Answer(200, {"@odata.context": f"{asked.base}/v1.0/$metadata#{name}", "value": found}, {}, JSON)

    @staticmethod
    def _there(look: Callable[[str], Any], key: str) -> Any:
        found = look(key)
        if found is None:
            raise not_there(key)
        return found


def words_of(user: dict[str, Any], name: str) -> list[str]:
    value = str(user.get(name) or "").lower()
    return re.split(r"\W+", value) if name == "displayName" else [value]


def split_key(segment: str) -> list[str]:
    """``users('anna')`` and ``applications(appId='1')`` as collection and key."""
    found = re.fullmatch(r"(\w+)\((?:\w+=)?'(.*)'\)", segment)
    return [found[1], found[2].replace("''", "'")] if found else [segment]


def names_in(query: dict[str, str]) -> list[str]:
    return [name.strip() for name in query.get("$select", "").split(",") if name.strip()]


def chosen(user: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """What is returned of a user; a name that nobody knows is left out."""
    return {name: user[name] for name in names or ORDER if name in KNOWN}


def without_token(query: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if name != "$skiptoken"}
