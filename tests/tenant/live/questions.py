"""The rows of the parity table that are marked real, as questions to a tenant: each gives facts without names.

A row is named by the words it begins with. The same question is put to the practice tenant and to the one in .env, and
where the facts differ, one of the two rows below is true: the table is wrong, or the service has changed.
"""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import msal
from asking import GRAPH_SCOPE, Side, json_of, thumbprint, unknown_id
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"  # Microsoft Graph Command Line Tools
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
MOST_PAGES = 30  # of a large directory no more is read


@dataclass(frozen=True)
class Question:
    """`ask` gives a JSON value that is the same wherever the row is true."""

    row: str
    ask: Callable[[Side], Any]


QUESTIONS: list[Question] = []


def asks(row: str) -> Callable[[Callable[[Side], Any]], Callable[[Side], Any]]:
    """Makes a function the question for the row that begins with these words."""

    def keep(ask: Callable[[Side], Any]) -> Callable[[Side], Any]:
        QUESTIONS.append(Question(row, ask))
        return ask

    return keep


@cache
def another_key() -> rsa.RSAPrivateKey:
    """A key that no app has."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate_around(key: Any) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a certificate that no app has")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(datetime.now(UTC) - timedelta(days=1))
    return builder.not_valid_after(datetime.now(UTC) + timedelta(days=9)).sign(key, hashes.SHA256())


# --- Entra ID: discovery and keys -------------------------------------------------------------------------------------


@asks("OpenID discovery: fields and their order")
def discovery(side: Side) -> Any:
    document = side.discovery(side.bench.tenant_id).json()
    regional = {"tenant_region_scope", "tenant_region_sub_scope"}
    values = {name: "text" if name in regional else side.cut(str(value)) for name, value in document.items()}
    return {"order": list(document), "values": values}


@asks("The tenant by id or by domain")
def by_domain(side: Side) -> Any:
    return [side.cut(side.discovery(name).json()["token_endpoint"]) for name in (side.bench.tenant_id, side.domain)]


@asks("`common` leaves the tenant's place")
def common(side: Side) -> Any:
    document = side.discovery("common").json()
    return {name: side.cut(str(document[name])) for name in ("issuer", "token_endpoint", "tenant_region_scope")}


@asks("Headers of discovery")
def discovery_headers(side: Side) -> Any:
    headers = side.discovery(side.bench.tenant_id).headers
    names = ("cache-control", "content-type", "strict-transport-security", "x-content-type-options")
    names += ("access-control-allow-origin", "access-control-allow-methods")
    return {name: headers.get(name) for name in names} | {"x-ms-request-id": "x-ms-request-id" in headers}


@asks("`//v2.0/…`")
def double_slash(side: Side) -> Any:
    return side.get(f"/{side.bench.tenant_id}//v2.0/.well-known/openid-configuration").status_code


@asks("Unknown tenant: 400 `invalid_tenant`")
def unknown_tenant(side: Side) -> Any:
    return side.refusal(side.discovery(unknown_id()))


@asks("Signing keys: members, order")
def signing_keys(side: Side) -> Any:
    keys = side.get(f"/{side.bench.tenant_id}/discovery/v2.0/keys").json()["keys"]
    certificates = [x509.load_der_x509_certificate(base64.b64decode(key["x5c"][0])) for key in keys]
    named = [key["kid"] == key["x5t"] == thumbprint(one) for key, one in zip(keys, certificates, strict=True)]
    return {"members": sorted({", ".join(key) for key in keys}), "kid is x5t is SHA-1 of the certificate": all(named)}


@asks("Instance discovery; a foreign host")
def instance(side: Side) -> Any:
    foreign = {"api-version": "1.1", "authorization_endpoint": "https://sts.example/common/oauth2/authorize"}
    answer = side.get("/common/discovery/instance", **foreign)
    return {"error": json_of(answer).get("error")} | side.refusal(answer)


@asks("`grant_types_supported` and")
def not_in_discovery(side: Side) -> Any:
    order = discovery(side)["order"]
    names = ("issuer", "grant_types_supported", "code_challenge_methods_supported")
    return {name: name in order for name in names}


# --- Entra ID: the token endpoint -------------------------------------------------------------------------------------


def by_msal(side: Side, credential: Any) -> str:
    app = msal.ConfidentialClientApplication(
        side.bench.client_id,
        authority=side.bench.authority,
        client_credential=credential,
        http_client=side.bench.session,
        instance_discovery=side.bench.instance_discovery,
    )
    result = app.acquire_token_for_client([GRAPH_SCOPE])
    return "a token" if "access_token" in result else f"{result['error']} {result.get('error_codes')}"


@asks("Client credentials with a certificate, in every form")
def msal_forms(side: Side) -> Any:
    key = str(side.bench.private_key)
    sha1 = side.certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303 - the name that Entra ID has for it
    forms = (
        {"private_key": key, "public_certificate": side.bench.certificate},
        {"private_key": key, "thumbprint": sha1},
    )
    return [by_msal(side, form) for form in forms]


@asks("A federated assertion of the app's own")
def own_assertion(side: Side) -> Any:
    return by_msal(side, {"client_assertion": side.assertion})


@asks("Refusals: seven keys in order")
def refusals(side: Side) -> Any:
    sent = unknown_id()
    answer = side.token(client_id=unknown_id(), headers={"client-request-id": sent})
    in_query = side.bench.session.post(answer.url, params={"client-request-id": sent}, data={"client_id": "x"})
    body = answer.json()
    return {
        "order": list(body),
        "trace_id is x-ms-request-id": body["trace_id"] == answer.headers.get("x-ms-request-id"),
        "client-request-id comes back": [one.json().get("correlation_id") == sent for one in (answer, in_query)],
        "error_uri": side.cut(body.get("error_uri", "none")),
        "700038 has error_uri": "error_uri" in side.token(client_id="00000000-0000-0000-0000-000000000000").json(),
    }


@asks("HTTP 401 for `invalid_client`")
def statuses(side: Side) -> Any:
    unknown_key = side.assertion({"x5t": thumbprint(certificate_around(another_key()))}, key=another_key())
    return [side.outcome(side.token(client_assertion=unknown_key)), side.outcome(side.token(grant_type="nothing"))]


@asks("90002, 900023 unknown tenant")
def no_such_tenant(side: Side) -> Any:
    return [side.refusal(side.token(tenant=name)) for name in (unknown_id(), "nonsense")]


@asks("700016 unknown app")
def unknown_app(side: Side) -> Any:
    return side.refusal(side.token(client_id=unknown_id()))


@asks("700038 client id of zeros")
def zeros(side: Side) -> Any:
    return side.refusal(side.token(client_id="00000000-0000-0000-0000-000000000000"))


@asks("7000216 no credential at all")
def no_credential(side: Side) -> Any:
    return side.refusal(side.token(client_assertion=None, client_assertion_type=None))


@asks("900144 missing parameter")
def missing_parameter(side: Side) -> Any:
    address = f"{side.host}/{side.bench.tenant_id}/oauth2/v2.0/token"
    as_json = side.bench.session.post(address, json=side.form())
    return [side.refusal(answer) for answer in (side.token(scope=None), side.token(grant_type=None), as_json)]


@asks("9000411 a field that stands twice")
def twice(side: Side) -> Any:
    return side.refusal(side.token(scope=[GRAPH_SCOPE, GRAPH_SCOPE]))


@asks("70003 unsupported grant, 900561 GET, 9001023")
def grants(side: Side) -> Any:
    by_get = side.get(f"/{side.bench.tenant_id}/oauth2/v2.0/token")
    common = side.token(tenant="common")
    return [side.refusal(answer) for answer in (side.token(grant_type="no_such_grant"), by_get, common)]


@asks("50059 `organizations`")
def organizations(side: Side) -> Any:
    return side.outcome(side.token(tenant="organizations"))


@asks("1002012 for the scope of another cloud's Graph")
def other_cloud(side: Side) -> Any:
    return side.outcome(side.token(scope="https://graph.microsoft.us/.default"))


@asks("1002012 a permission as scope, 70011 two resources")
def scopes(side: Side) -> Any:
    two = f"{GRAPH_SCOPE} https://management.azure.com/.default"
    unknown = f"api://{unknown_id()}/.default"
    return [side.refusal(side.token(scope=scope)) for scope in ("User.Read.All", two, unknown)]


@asks("OpenID Connect scopes beside the resource")
def openid_scopes(side: Side) -> Any:
    return side.outcome(side.token(scope=f"openid profile offline_access {GRAPH_SCOPE}"))


@asks("Order of the checks")
def order(side: Side) -> Any:
    bad = {"client_assertion": "no.assertion.atall", "scope": "User.Read.All"}
    bad_key = side.assertion({"x5t": thumbprint(certificate_around(another_key()))}, key=another_key())
    return [
        side.outcome(side.token(tenant=unknown_id(), client_id=unknown_id(), **bad)),
        side.outcome(side.token(client_id=unknown_id(), **bad)),
        side.outcome(side.token(**bad)),
        side.outcome(side.token(client_assertion=bad_key, scope="User.Read.All")),
    ]


# --- Entra ID: the client assertion -----------------------------------------------------------------------------------


@asks("Standard base64 in `x5t`")
def standard_base64(side: Side) -> Any:
    names = {"x5t": "sha1", "x5t#S256": "sha256"}
    found = []
    for name, algorithm in names.items():
        digest = base64.urlsafe_b64decode(side.thumbprint(algorithm) + "==")
        header = {"x5t": None} | {name: base64.b64encode(digest).decode()}
        found.append(side.outcome(side.signed(header)))
    return found


@asks("The key by `x5t`, `x5t#S256` or `kid`")
def key_names(side: Side) -> Any:
    sha1 = base64.urlsafe_b64decode(side.thumbprint() + "==").hex().upper()
    names = {"x5t": side.thumbprint(), "x5t#S256": side.thumbprint("sha256"), "kid": sha1}
    named = {name: side.outcome(side.signed({"x5t": None} | {name: value})) for name, value in names.items()}
    algorithms = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
    return named | {algorithm: side.outcome(side.signed({"alg": algorithm})) for algorithm in algorithms}


@asks("What Microsoft's libraries send")
def spellings(side: Side) -> Any:
    now = time.time()
    return {
        "a padded x5t": side.outcome(side.signed({"x5t": side.thumbprint() + "="})),
        "dates as floats": side.outcome(side.signed(nbf=now - 1, exp=now + 300.5)),
        "no nbf, no iat": side.outcome(side.signed(nbf=None, iat=None)),
        "half an hour": side.outcome(side.signed(exp=int(now) + 1800)),
    }


@asks("The same assertion (same `jti`) again")
def again(side: Side) -> Any:
    assertion = side.assertion()
    return [side.outcome(side.token(client_assertion=assertion)) for _ in range(2)]


@asks("700027 key not found, expired, signature does not verify")
def bad_keys(side: Side) -> Any:
    unknown = {"x5t": thumbprint(certificate_around(another_key()))}
    assertions = (side.assertion(unknown, key=another_key()), side.assertion(key=another_key()))
    return [side.refusal(side.token(client_assertion=assertion)) for assertion in assertions]


@asks("Another certificate around the same key")
def same_key(side: Side) -> Any:
    return side.outcome(side.signed({"x5t": thumbprint(certificate_around(side.key))}))


@asks("700024 outside its time")
def out_of_time(side: Side) -> Any:
    now = int(time.time())
    late, early = {"nbf": None, "iat": None, "exp": now - 3600}, {"nbf": now + 3600, "exp": now + 4200}
    return [side.refusal(side.signed(**claims)) for claims in (late, early)]


@asks("700021 `iss`, 50048 `sub`, 700023 `aud`")
def bad_claims(side: Side) -> Any:
    other = unknown_id()
    return {
        "iss": side.refusal(side.signed(iss=other, sub=other)),
        "sub": side.refusal(side.signed(sub=other)),
        "aud": side.refusal(side.signed(aud="https://elsewhere.example/token")),
        "malformed": side.refusal(side.token(client_assertion="no.assertion.atall")),
        "without iss": side.refusal(side.signed(iss=None)),
        "no thumbprint": side.refusal(side.signed({"x5t": None})),
        "algorithm": side.outcome(side.token(client_assertion=side.assertion({"alg": "HS256"}, key="x" * 32))),
    }


@asks("Keys are never taken from `jwk`")
def brought_along(side: Side) -> Any:
    certificate = certificate_around(another_key())
    own = {"x5t": thumbprint(certificate), "x5c": [base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()]}
    own["jku"] = "https://elsewhere.example/keys"
    return side.outcome(side.token(client_assertion=side.assertion(own, key=another_key())))


# --- Entra ID: access tokens ------------------------------------------------------------------------------------------


@asks("The answer: four keys in order")
def granted(side: Side) -> Any:
    return {"order": list(side.granted), "expires_in": side.granted["expires_in"]}


@asks("v1.0-format claims of an app-only Graph token")
def claims(side: Side) -> Any:
    claims = side.claims()
    constant = {name: claims.get(name) for name in ("aud", "idtyp", "ver", "wids")}
    header = list(jwt.get_unverified_header(side.granted["access_token"]))
    return {"header": header, "claims": list(claims), "iss": side.cut(claims["iss"])} | constant


@asks("`iat` and `nbf` five minutes back")
def times(side: Side) -> Any:
    token = side.token().json()["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    ago = time.time() - claims["iat"]
    return {
        "five minutes ago": 290 < ago < 330,
        "lifetime": claims["exp"] - claims["iat"],
        "nbf": claims["nbf"] - claims["iat"],
    }


@asks("`appidacr` 1 for a secret, 2 for a certificate")
def proof(side: Side) -> Any:
    return side.claims()["appidacr"]


@asks("The nonce in the header")
def nonce(side: Side) -> Any:
    token = side.granted["access_token"]
    header = jwt.get_unverified_header(token)
    keys = side.get(f"/{side.bench.tenant_id}/discovery/v2.0/keys").json()["keys"]
    key = next((jwt.PyJWK(one, "RS256").key for one in keys if one["kid"] == header["kid"]), None)
    try:
        jwt.decode(token, key, ["RS256"], options={"verify_aud": False, "verify_iat": False})
    except jwt.InvalidSignatureError:
        return {"nonce": "nonce" in header, "the signature verifies": False}
    return {"nonce": "nonce" in header, "the signature verifies": True}


@asks("Opaque claims")
def opaque(side: Side) -> Any:
    tokens = [side.token().json()["access_token"] for _ in range(2)]
    first, second = (jwt.decode(token, options={"verify_signature": False}) for token in tokens)
    return {"uti": len(first["uti"]), "another each time": first["uti"] != second["uti"], "rh": first["rh"][:2]}


# --- Entra ID: device code --------------------------------------------------------------------------------------------


def device_code(side: Side) -> Any:
    address = f"{side.host}/{side.bench.tenant_id}/oauth2/v2.0/devicecode"
    return side.bench.session.post(address, data={"client_id": TOOLS, "scope": "https://graph.microsoft.com/User.Read"})


@asks("The device code endpoint: six keys")
def device(side: Side) -> Any:
    body = device_code(side).json()
    return {"order": list(body), "expires_in": body["expires_in"], "interval": body["interval"]}


@asks("Polling: `authorization_pending` 70016")
def pending(side: Side) -> Any:
    form = {"grant_type": DEVICE, "client_id": TOOLS, "device_code": device_code(side).json()["device_code"]}
    return side.refusal(side.bench.session.post(f"{side.host}/{side.bench.tenant_id}/oauth2/v2.0/token", data=form))


# --- Graph: who may call ----------------------------------------------------------------------------------------------


@asks("401 `InvalidAuthenticationToken` with the recorded text")
def bad_tokens(side: Side) -> Any:
    good = side.granted["access_token"]
    head, payload, signature = good.split(".")
    spoilt = f"{head}.{payload}.{signature[::-1]}"
    answers = {"none": side.graph("/users", token=""), "no dots": side.graph("/users", token="nonsense")}
    answers["another signature"] = side.graph("/users", token=spoilt)
    return {name: side.graph_refusal(answer) for name, answer in answers.items()}


@asks("`WWW-Authenticate` on 401")
def challenge(side: Side) -> Any:
    return side.graph("/users", token="").headers.get("www-authenticate")


@asks("403 `Authorization_RequestDenied`")
def denied(side: Side) -> Any:
    return side.graph_refusal(side.graph("/applications"))


@asks("Error envelope, ids, dates")
def envelope(side: Side) -> Any:
    sent = unknown_id()
    answer = side.graph(f"/users/{unknown_id()}", **{"client-request-id": sent})
    error = answer.json()["error"]
    inner = error["innerError"]
    return {
        "members": [sorted(answer.json()), sorted(error), sorted(inner)],
        "request-id is the header": inner["request-id"] == answer.headers.get("request-id"),
        "client-request-id comes back": inner["client-request-id"] == sent == answer.headers.get("client-request-id"),
        "date": len(inner["date"]),
        "content type": answer.headers["content-type"],
    }


@asks("405 for a method, 400 for an unknown segment")
def segment(side: Side) -> Any:
    return side.graph_refusal(side.graph("/userz"))


@asks("`/me`, `/me/manager`")
def me(side: Side) -> Any:
    return side.graph_refusal(side.graph("/me"))


# --- Graph: users -----------------------------------------------------------------------------------------------------


@asks("The default eleven properties")
def eleven(side: Side) -> Any:
    answer = side.graph("/users?$top=1")
    [user] = answer.json()["value"]
    return {
        "order": list(user),
        "businessPhones": type(user["businessPhones"]).__name__,
        "compact": '": ' not in answer.text,
    }


@asks("Response headers, `x-ms-resource-unit` included")
def headers(side: Side) -> Any:
    headers = side.graph("/users?$top=1").headers
    names = ("content-type", "odata-version", "cache-control", "strict-transport-security", "vary")
    there = ("request-id", "client-request-id", "x-ms-ags-diagnostic", "x-ms-resource-unit", "date")
    return {name: headers.get(name) for name in names} | {name: name in headers for name in there}


@asks("`$select`: only what was asked for")
def select(side: Side) -> Any:
    body = side.graph("/users?$select=surname,displayName&$top=1").json()
    return {"order": list(body["value"][0]), "context": side.cut(body["@odata.context"])}


@asks("An unknown name in `$select`")
def select_unknown(side: Side) -> Any:
    answer = side.graph("/users?$select=displayName,departement&$top=1")
    return {"status": answer.status_code, "order": list(answer.json()["value"][0])}


@asks("`identities`")
def identities(side: Side) -> Any:
    answer = side.graph(f"/users/{side.somebody['id']}?$select=identities")
    kinds = [one["signInType"] for one in answer.json().get("identities", [])]
    return "userPrincipalName" in kinds


@asks("501 for the eleven properties")
def not_in_lists(side: Side) -> Any:
    return [side.graph_refusal(side.graph(f"/users?$select={name}")) for name in ("skills", "aboutMe", "birthday")]


@asks("`$top` 1 to 999")
def top(side: Side) -> Any:
    pages = {size: side.graph(f"/users?$select=id{size}").json() for size in ("", "&$top=999")}
    full = {size: len(body["value"]) for size, body in pages.items() if "@odata.nextLink" in body}
    refused = [side.graph_refusal(side.graph(f"/users?$top={size}")) for size in (0, 1000)]
    return {
        "refused": refused,
        "a hundred without it": full.get("", 100),
        "as many as asked for": full.get("&$top=999", 999),
    }


@asks("Paging to the end")
def paging(side: Side) -> Any:
    link, ids, pages = "/users?$select=id&$top=999", [], 0
    while link and pages < MOST_PAGES:
        body = side.graph(link).json()
        ids += [user["id"] for user in body["value"]]
        link, pages = body.get("@odata.nextLink"), pages + 1
    counted = json.loads(side.graph("/users/$count", eventual=True).content)
    return {"everybody once": len(ids) == len(set(ids)) and (bool(link) or len(ids) == counted)}


@asks("`@odata.nextLink`: absolute")
def next_link(side: Side) -> Any:
    link = side.graph("/users?$select=id,displayName&$top=1").json()["@odata.nextLink"]
    options = sorted(name for name, _ in parse_qsl(urlsplit(link).query))
    return {"absolute": link.startswith(side.bench.graph_endpoint), "options": options, "lower case": "%2C" not in link}


@asks("`/users/{id}`, by name")
def one_user(side: Side) -> Any:
    keys = (f"/{side.somebody['id']}", f"/{side.somebody['userPrincipalName']}", f"('{side.somebody['id']}')")
    answers = [side.graph(f"/users{key}?$select=id") for key in keys]
    return [{"status": answer.status_code, "members": list(answer.json())} for answer in answers]


@asks("404 `Request_ResourceNotFound`")
def nobody(side: Side) -> Any:
    return side.graph_refusal(side.graph(f"/users/{unknown_id()}"))


@asks("`/users/$count` and `$count=true` need the header")
def count(side: Side) -> Any:
    silent = side.graph("/users?$count=true&$top=1").json()
    number = side.graph("/users/$count", eventual=True)
    kind = number.headers["content-type"].partition(";")[0]
    refused = side.graph_refusal(side.graph("/users/$count"))
    return {"segment": refused, "silence": "@odata.count" not in silent, "kind": kind}


@asks("A later page of an advanced query without the header")
def later_page(side: Side) -> Any:
    first = side.graph("/users?$filter=displayName ne 'nobody'&$count=true&$select=id&$top=1", eventual=True).json()
    return side.graph_refusal(side.graph(first["@odata.nextLink"]))


@asks("`@odata.count` on the first page only")
def count_once(side: Side) -> Any:
    first = side.graph("/users?$count=true&$select=id&$top=1", eventual=True).json()
    second = side.graph(first["@odata.nextLink"], eventual=True).json()
    return ["@odata.count" in body for body in (first, second)]


@asks("`/myorganization/…`")
def my_organization(side: Side) -> Any:
    return side.graph("/myorganization/users?$top=1&$select=id").status_code


# --- Graph: queries ---------------------------------------------------------------------------------------------------


@asks("Which property may be filtered")
def filters(side: Side) -> Any:
    clauses = [
        f"{name} eq 'x'" for name in ("city", "department", "jobTitle", "companyName", "mobilePhone", "officeLocation")
    ]
    clauses += ["startsWith(displayName,'x')", "startsWith(companyName,'x')", "endsWith(mail,'.x')", "city ne 'x'"]
    clauses += ["not(city eq 'x')", "city eq null", "employeeHireDate ge 2024-01-01T00:00:00Z", "city ge 'x'"]
    found = {}
    for clause in clauses:
        plain = side.graph_refusal(side.graph(f"/users?$filter={clause}&$select=id&$top=1"))
        advanced = side.graph(f"/users?$filter={clause}&$select=id&$top=1&$count=true", eventual=True)
        found[clause] = [plain, side.graph_refusal(advanced)]
    return found


@asks("Operators, functions, lambdas")
def operators(side: Side) -> Any:
    clauses = ["surname eq 'O''Nobody'", "surname eq 'O'Nobody'", "createdDateTime ge '2024-01-01'", "id eq nothing"]
    clauses += ["createdDateTime ge 2024-01-01T00:00:00Z", "accountEnabled eq 'true'", "city in ('x','y')"]
    clauses += ["city eq 'x' and (country eq 'y' or STARTSWITH(surname,'z'))"]
    answers = {clause: side.graph(f"/users?$filter={clause}&$select=id&$top=1") for clause in clauses}
    return {clause: side.graph_refusal(answer).get("code", "taken") for clause, answer in answers.items()}


@asks("The text when something follows after a whole filter")
def left_over(side: Side) -> Any:
    return side.graph_refusal(side.graph("/users?$filter=surname eq 'O'Nobody'&$select=id&$top=1"))


@asks("The text when `id` is compared in another way")
def compared_ids(side: Side) -> Any:
    return side.graph_refusal(side.graph("/users?$filter=startsWith(id,'a')&$select=id&$top=1"))


@asks("`$filter` with `$orderby`")
def sorted_filter(side: Side) -> Any:
    path = "/users?$filter=startsWith(displayName,'a')&$orderby=displayName&$select=id&$top=1"
    return [side.graph_refusal(side.graph(path)), side.graph(f"{path}&$count=true", eventual=True).status_code]


@asks("`$search`: quoting, AND and OR")
def search(side: Side) -> Any:
    path = '/users?$search="displayName:zzzzzz" OR "mail:zzzzzz"&$select=id'
    return [side.graph_refusal(side.graph(path)), side.graph_refusal(side.graph(path, eventual=True))]


@asks("`$skip` is refused")
def skip(side: Side) -> Any:
    return side.graph_refusal(side.graph("/users?$skip=1"))


# --- Graph: delta, batch, the rest ------------------------------------------------------------------------------------


@asks("`/users/delta`: pages of 200")
def delta(side: Side) -> Any:
    body = side.graph("/users/delta?$select=displayName").json()
    link = body.get("@odata.nextLink") or body["@odata.deltaLink"]
    members = sorted({name for user in body["value"] for name in user} - {"displayName"})
    return {"options": [name for name, _ in parse_qsl(urlsplit(link).query)], "besides": members}


@asks("`$deltatoken=latest`")
def latest(side: Side) -> Any:
    body = side.graph("/users/delta?$deltatoken=latest").json()
    return {"users": len(body["value"]), "deltaLink": "@odata.deltaLink" in body}


@asks("Twenty steps, each with status")
def batch(side: Side) -> Any:
    steps = [{"id": str(number), "method": "GET", "url": "/users?$top=1&$select=id"} for number in range(20)]
    body = side.batch(*steps).json()
    members = sorted({", ".join(sorted(step)) for step in body["responses"]})
    return {"answers": len(body["responses"]), "members": members, "status": [body["responses"][0]["status"]]}


@asks("`dependsOn`, 424 after a failure")
def depends(side: Side) -> Any:
    first = {"id": "1", "method": "GET", "url": f"/users/{unknown_id()}"}
    second = {"id": "2", "method": "GET", "url": "/users?$top=1", "dependsOn": ["1"]}
    steps = {step["id"]: step["status"] for step in side.batch(first, second).json()["responses"]}
    return dict(sorted(steps.items()))


@asks("An id twice, an absolute address")
def same_id(side: Side) -> Any:
    return side.graph_refusal(side.batch(*[{"id": "1", "method": "GET", "url": "/users?$top=1"}] * 2))


@asks("`/organization`")
def organization(side: Side) -> Any:
    return side.graph("/organization").status_code


@asks("Resource units of a request")
def units(side: Side) -> Any:
    paths = ("/users", "/users?$select=id", "/users?$top=5", f"/users/{side.somebody['id']}")
    return [side.graph(path).headers.get("x-ms-resource-unit") for path in paths]


# --- what is not asked ------------------------------------------------------------------------------------------------

# Reasons, and the beginnings of the rows. A heading that ends with ": all" means every row below it.
NOT_ASKED = {
    "it would change the tenant": (
        "7000229 app without", "7000112 disabled app", "`roles` absent when none", "401 `Authorization_Identity",
        "405 for an action", "Create, change, delete, restore users", "Limits of lengths", "Created, changed, deleted",
        "Every operation asks", "501051 a resource", "700027 for a certificate whose time",
        "Graph: applications, service principals, consent: all",
    ),
    "it needs a second tenant": (
        "700016 an app of another tenant", "700016 a single-tenant app", "A certificate that is changed in the home",
        "The admin-consent link:",
    ),
    "it needs a person who signs in": (
        "`bad_verification_code` 70018", "700025 a public client", "Consent makes an", "Access, ID and refresh token",
        "65001 a scope nobody", "Azure CLI: what it may do", "A page in the browser", "Azure Resource Manager: all",
    ),
    "it needs a secret beside the certificate": ("Client credentials with a secret", "7000215 wrong secret"),
    "it needs a licence, a schema or a person whom not every tenant has": (
        "`signInActivity` asks for", "`accountEnabled` can be null", "An extension that is", "`$expand=manager`",
        "`$search`: how names fall", "`$expand` with delta",
    ),
    "nobody can bring it about on request": (
        "Throttling on request", "Expired page tokens", "A link older than thirty days", "`--throttle`",
        "Steps are metered", "Texts for a header or payload",
    ),
    "it is a page for people and no protocol": ("The practice portal: all",),
}  # fmt: skip
