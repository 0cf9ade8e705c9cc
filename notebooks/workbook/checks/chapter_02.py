"""Chapter 02: what a registration consists of, and which id goes where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import jwt
import msal  # type: ignore[import-untyped]
import requests

from ..marking import chosen, gives, of_type, plain, same
from ..showing import show
from ..verdicts import GRAPH_SCOPE, Ask, Verdict, exercise, not_yet, right

GRAPH_COMMAND_LINE_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
MICROSOFT_GRAPH = "00000003-0000-0000-c000-000000000000"
ADMIN_SCOPES = [
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
]


class Registration:
    """An app with its certificate and its service principal, made by the administrator of the checks' own tenant.

    Nobody has consented to anything for it.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        bench = ask.bench
        tools = msal.PublicClientApplication(
            GRAPH_COMMAND_LINE_TOOLS,
            authority=bench.authority,
            http_client=bench.session,
            instance_discovery=False,
        )
        flow = tools.initiate_device_flow(ADMIN_SCOPES)
        ask.practice.sign_in(flow["user_code"])
        self._token = tools.acquire_token_by_device_flow(flow)["access_token"]
        daemon = self.send("GET", f"/applications(appId='{bench.client_id}')?$select=keyCredentials").json()
        wish = {"displayName": "check", "signInAudience": "AzureADMyOrg", "keyCredentials": daemon["keyCredentials"]}
        self.app = self.send("POST", "/applications", wish).json()
        self.principal = self.send("POST", "/servicePrincipals", {"appId": self.app["appId"]}).json()

    def send(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Graph's answer to the administrator."""
        headers = {"Authorization": f"Bearer {self._token}"}
        bench = self._ask.bench
        return bench.session.request(method, bench.graph_endpoint + path, json=body, headers=headers)

    @cached_property
    def microsoft_graph(self) -> dict[str, Any]:
        """The service principal of Microsoft Graph."""
        principal: dict[str, Any] = self.send("GET", f"/servicePrincipals(appId='{MICROSOFT_GRAPH}')").json()
        return principal

    @cached_property
    def role(self) -> dict[str, Any]:
        """The app role User.Read.All."""
        roles: list[dict[str, Any]] = self.microsoft_graph["appRoles"]
        return next(role for role in roles if role["value"] == "User.Read.All")

    def consent(self, body: Any) -> requests.Response:
        """Graph's answer to an app role assignment."""
        return self.send("POST", f"/servicePrincipals/{self.microsoft_graph['id']}/appRoleAssignedTo", body)

    def token(self, client_id: str) -> dict[str, Any]:
        """MSAL's answer to a daemon with the certificate and this client id."""
        return self._ask.token([GRAPH_SCOPE], client_id=client_id)


@exercise("02-grants")
def grants(granting_request: int, ask: Ask) -> Verdict:
    """granting_request is 3, the app role assignment."""
    wrong = chosen(
        granting_request,
        3,
        reasons={
            1: "requiredResourceAccess is the list of what the app would like to have.",
            2: "Microsoft Graph has its service principal in every tenant already.",
            4: "this grants a delegated permission, for which somebody has to be signed in.",
        },
        otherwise="it has to be one of the numbers 1, 2, 3 and 4.",
    )
    if wrong and plain(granting_request) in (1, 2, 4):
        return not_yet(f"{wrong.hint} {_tried(int(granting_request), ask)}")
    return wrong or right("the roles in a token are read from the app role assignments, and from nowhere else.")


def _tried(number: int, ask: Ask) -> str:
    """What the checks' own tenant answers to one of the requests, and what the next token has in it."""
    made = Registration(ask)
    wish = {"resourceAppId": MICROSOFT_GRAPH, "resourceAccess": [{"id": made.role["id"], "type": "Role"}]}
    for_everybody = {
        "clientId": made.principal["id"],
        "consentType": "AllPrincipals",
        "resourceId": made.microsoft_graph["id"],
        "scope": "User.Read.All",
    }
    reply = {
        1: lambda: made.send("PATCH", f"/applications/{made.app['id']}", {"requiredResourceAccess": [wish]}),
        2: lambda: made.send("POST", "/servicePrincipals", {"appId": MICROSOFT_GRAPH}),
        4: lambda: made.send("POST", "/oauth2PermissionGrants", for_everybody),
    }[number]()
    token = made.token(made.app["appId"])["access_token"]
    roles = jwt.decode(token, options={"verify_signature": False}).get("roles")
    return f"Graph answers it with {reply.status_code}, and the roles in the next token are {roles}."


BODY = """def consent_body(app, principal, microsoft_graph, role):
    return {
        "principalId": principal["id"],
        "resourceId": microsoft_graph["appId"],
        "appRoleId": role["id"],
    }
"""


@exercise("02-body", given=BODY)
def body(consent_body: Callable[..., dict[str, str]], ask: Ask) -> Verdict:
    """consent_body(app, principal, microsoft_graph, role) gives the body of an app role assignment."""
    made = Registration(ask)
    answer = consent_body(made.app, made.principal, made.microsoft_graph, made.role)
    wrong = of_type(answer, dict, "consent_body(…)")
    if wrong:
        return wrong
    given = plain(answer)
    expected = {
        "principalId": made.principal["id"],
        "resourceId": made.microsoft_graph["id"],
        "appRoleId": made.role["id"],
    }
    for name in expected:
        if name not in given:
            return not_yet(f"the body has no {name}: it needs {', '.join(expected)}.")
    reply = made.consent(given)
    if reply.ok and same(given, expected):
        return right("both ends are service principals, and each is named by its own object id.")
    said = f"Graph answers {ask.sentence(reply)}" if not reply.ok else "Graph takes it, and it is another assignment"
    for name, value in expected.items():
        if not same(given[name], value):
            return not_yet(f"{said} {_WHICH[name]}")
    return not_yet(f"{said} The body has more than the three ids it needs.")


_WHICH = {
    "principalId": "principalId was right as it was given: the object id of the app's service principal.",
    "resourceId": "resourceId has to be the object id of Microsoft Graph's service principal in this tenant.",
    "appRoleId": "appRoleId was right as it was given: the id of the role.",
}


IDS = """def sorted_ids(app, principal):
    return {
        "client_id in the settings": ...,
        "address of the registration": "/applications/" + ...,
        "principalId for consent": ...,
        "oid in the daemon's token": ...,
    }
"""


@exercise("02-ids", given=IDS)
def ids(sorted_ids: Callable[..., dict[str, str]], ask: Ask) -> Verdict:
    """sorted_ids(app, principal) puts the ids of a registration where they belong."""
    made = Registration(ask)
    answer = sorted_ids(made.app, made.principal)
    wrong = of_type(answer, dict, "sorted_ids(…)")
    if wrong:
        return wrong
    given = plain(answer)
    for name, judge in _PLACES.items():
        if name not in given:
            return not_yet(f"the entry {name!r} is missing: keep the four names as they were given.")
        hint = judge(made, ask, given[name])
        if hint:
            return not_yet(f"{name}: {hint}")
    return right("one of the ids goes into the daemon's settings, and the others manage the registration.")


def _called(made: Registration, value: Any) -> str:
    """What an id is, in words."""
    names = {
        made.app["id"]: "the application's object id",
        made.app["appId"]: "the client id",
        made.principal["id"]: "the service principal's object id",
    }
    return names.get(value, show(value)) if isinstance(value, str) else show(value)


def _client_id(made: Registration, ask: Ask, value: Any) -> str | None:
    if same(value, made.app["appId"]):
        return None
    if not isinstance(value, str):
        return f"this is {show(value)}, expected a text."
    result = made.token(value)
    said = ask.sentence(result) if "error" in result else "with a token for another app."
    return f"this is {_called(made, value)}, and Entra ID answers {said}"


def _address(made: Registration, ask: Ask, value: Any) -> str | None:
    if not isinstance(value, str) or not value.startswith("/"):
        return f"this is {show(value)}, expected a path that begins with /applications."
    reply = made.send("GET", value)
    if not reply.ok:
        return f"for {show(value)} Graph answers {ask.sentence(reply)}"
    found = reply.json()
    if found.get("id") != made.app["id"]:
        return f"{show(value)} leads to something else than the app registration."
    return None


def _principal_id(made: Registration, ask: Ask, value: Any) -> str | None:
    reply = made.consent({"principalId": value, "resourceId": made.microsoft_graph["id"], "appRoleId": made.role["id"]})
    return None if reply.ok else f"this is {_called(made, value)}, and Graph answers {ask.sentence(reply)}"


def _oid(made: Registration, ask: Ask, value: Any) -> str | None:
    if same(value, made.principal["id"]):
        return None
    about = "The token is about the app's presence in this tenant, an object with an id of its own."
    return f"this is {_called(made, value)}. {about}"


_PLACES: Mapping[str, Callable[[Registration, Ask, Any], str | None]] = {
    "client_id in the settings": _client_id,
    "address of the registration": _address,
    "principalId for consent": _principal_id,
    "oid in the daemon's token": _oid,
}


THUMBPRINT = "B8567289B4943A8830EFF41E3BC6B54DEDEDFBCF"
ANOTHER = "0D3C1F7A5E9B24680ACE13579BDF02468ACE1357"
ROLE = "df021288-bdef-4463-88db-98f22de89214"
OTHER_ROLE = "5b567255-7703-4780-807c-7be8301ae99b"
WISHES = [{"resourceAppId": MICROSOFT_GRAPH, "resourceAccess": [{"id": ROLE, "type": "Role"}]}]
PRINCIPAL = {"id": "3415e4d9-bd89-4d5f-ac20-8094aad66344", "accountEnabled": True}


def _app(*thumbprints: str) -> dict[str, Any]:
    keys = [{"customKeyIdentifier": one, "type": "AsymmetricX509Cert", "usage": "Verify"} for one in thumbprints]
    return {"displayName": "people-report", "keyCredentials": keys, "requiredResourceAccess": WISHES}


def _assigned(*roles: str) -> list[dict[str, Any]]:
    return [{"appRoleId": role, "principalId": PRINCIPAL["id"]} for role in roles]


@exercise("02-missing")
def missing(what_is_missing: Callable[..., list[str]], ask: Ask) -> Verdict:
    """what_is_missing(app, principal, assignments, thumbprint, role_id) gives the steps that a registration lacks."""
    names = ("certificate", "service principal", "consent")
    everything = _app(ANOTHER, THUMBPRINT), PRINCIPAL, _assigned(OTHER_ROLE, ROLE)
    return (
        gives(
            what_is_missing,
            {"keyCredentials": []},
            None,
            [],
            THUMBPRINT,
            ROLE,
            expected=[*names],
            reason="a new application has none of the three, and the order is the one in the task.",
        )
        or gives(
            what_is_missing,
            *everything,
            THUMBPRINT,
            ROLE,
            expected=[],
            reason="nothing is missing. Your certificate and the role need not be the first on their lists.",
        )
        or gives(
            what_is_missing,
            _app(THUMBPRINT),
            PRINCIPAL,
            [],
            THUMBPRINT,
            ROLE,
            expected=["consent"],
            reason="the permission is on the wish list only, and nobody has assigned the role.",
        )
        or gives(
            what_is_missing,
            _app(ANOTHER),
            PRINCIPAL,
            _assigned(ROLE),
            THUMBPRINT,
            ROLE,
            expected=["certificate"],
            reason="the app has a certificate, and it is not yours.",
        )
        or gives(
            what_is_missing,
            _app(THUMBPRINT),
            PRINCIPAL,
            _assigned(OTHER_ROLE),
            THUMBPRINT,
            ROLE,
            expected=["consent"],
            reason="a role was assigned, and it is another one than the daemon needs.",
        )
        or gives(
            what_is_missing,
            _app(THUMBPRINT),
            None,
            [],
            THUMBPRINT,
            ROLE,
            expected=["service principal", "consent"],
            reason="without a service principal there is nobody to whom a role could be assigned.",
        )
        or right("each question goes to the object that decides.")
    )
