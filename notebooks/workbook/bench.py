"""The bench a chapter works at: one call opens a tenant, practice or real, with everything a daemon needs."""

from __future__ import annotations

import base64
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msal  # type: ignore[import-untyped]
import requests
from msal.authority import WELL_KNOWN_AUTHORITY_HOSTS  # type: ignore[import-untyped]

from .cells import shell_here
from .clouds import GLOBAL
from .exchange import Places
from .keys import ROOT, Hidden, KeyPair, expired_pair, keys_folder, practice_pair
from .own_data import Marks
from .practice import PracticeTenant
from .problems import WorkbookProblem, refused_by_entra, refused_by_graph
from .settings import Settings, practice_is_forced, read_settings, real_tenant, remarks
from .wire import RecordingSession, Wire

PRACTICE_SECRET = "practice-secret"  # noqa: S105 - opens the practice tenant only


@dataclass(frozen=True)
class Bench:
    """A tenant, an app registered in it, and a session to talk to both. Secrets do not show in its repr.

    `authority` and `graph_endpoint` have no trailing slash. The three paths are None where a real tenant's .env names
    no such file; `private_key` and `certificate` (PEM text) are there with every kind of file.
    `scope` is what a daemon asks for at this endpoint: Graph's ``.default`` in the endpoint's own cloud.
    With a client secret and no certificate, `private_key` and `certificate` are empty.
    `tenants` are this practice tenant, as ``"contoso"``, and the customers that were asked for; empty without any.
    `expired_pfx_path` is the key file of a customer's own app whose certificate has ended.
    `instance_discovery` is True for Microsoft's own hosts. MSAL knows no other one, and would have Microsoft refuse it.
    """

    is_practice: bool
    tenant_id: str
    client_id: str | None
    authority: str
    graph_endpoint: str
    scope: list[str]
    instance_discovery: bool
    keys: Path
    private_key_path: Path | None
    certificate_path: Path | None
    pfx_path: Path | None
    certificate: str = field(repr=False)
    private_key: str = field(repr=False)
    passphrase: str | None = field(repr=False)
    client_secret: str | None = field(repr=False)
    session: RecordingSession = field(repr=False)
    practice: PracticeTenant | None = None
    tenants: Mapping[str, PracticeTenant] = field(default_factory=dict)
    expired_pfx_path: Path | None = None

    @property
    def output(self) -> Path:
        """The folder for files with people's data: notebooks/output, git-ignored; WORKBOOK_OUTPUT names another."""
        return _output_folder()

    @property
    def wire(self) -> Wire:
        """Everything this bench's session sent and received."""
        return self.session.wire


_marks = Marks()
HOME = "contoso"  # the practice tenant's own name among its customers
_open_tenants: list[ExitStack] = []  # what the kernel's bench uses; a list so that it can be replaced


@dataclass(frozen=True, kw_only=True)
class PracticeOptions:
    """What a practice tenant is prepared with; each is a keyword argument of `open_bench`.

    roles: application roles consented to the app; an empty one consents to nothing.
    users: size of the directory; None means the people in data/.
    register_certificate: whether the app has the certificate. Without it and without `secret` there is no app.
    certificates: files (PEM or DER) of more certificates that the app has.
    secret: whether the app has a client secret as well.
    latency_ms: milliseconds added to every Graph answer.
    throttle: enforce Graph's limits.
    portal: serve the practice portal; `bench.practice.portal_url` is its address.
    customers: other organisations, each with the options of its own tenant: ``{"fabrikam": {"users": 40}}``. They know
        this tenant's app, which is then multi-tenant, and nobody has consented to it yet.
    expired_app: for a customer, an app of its own whose certificate has ended.
    """

    roles: Iterable[str] = ("User.Read.All",)
    users: int | None = None
    register_certificate: bool = True
    certificates: Iterable[str | Path] = ()
    secret: bool = False
    latency_ms: int = 0
    throttle: bool = False
    portal: bool = False
    customers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    expired_app: bool = False

    def customer(self, name: str) -> PracticeOptions:
        """What the tenant of a customer is prepared with."""
        given: dict[str, Any] = {"roles": self.roles, "register_certificate": False, **self.customers[name]}
        own, ended = PracticeOptions(**given), expired_pair().certificate_path
        return replace(own, certificates=[ended]) if own.expired_app and ended else own

    def command_line(self, pair: KeyPair) -> list[str]:
        """As options of ``python -m practice_tenant``."""
        options = [f"--role={role}" for role in self.roles] or ["--role=none"]
        if self.register_certificate and pair.certificate_path:
            options.append(f"--certificate={pair.certificate_path.resolve()}")
        options += [f"--certificate={Path(path).resolve()}" for path in self.certificates]
        if self.secret:
            options.append(f"--secret={PRACTICE_SECRET}")
        if self.users is not None:
            options.append(f"--users={self.users}")
        if self.latency_ms:
            options.append(f"--latency-ms={self.latency_ms}")
        if self.throttle:
            options.append("--throttle")
        if self.portal:
            options.append("--portal")
        return options


def open_bench(
    *,
    practice_only: bool = False,
    secret_is_enough: bool = False,
    registered: bool = True,
    stay_with: Bench | None = None,
    **practice: Any,
) -> Bench:
    """Opens the tenant that .env or the environment names, or the practice tenant, and prints what is ready.

    On a real tenant it gets a token and looks at its roles, and says Entra ID's or Graph's own sentence when something
    is missing. Called again, it ends the practice tenant of the call before, unless it stays with it.

    Args:
        practice_only: use the practice tenant even when .env names a real one: for chapters that break things.
        secret_is_enough: whether the chapter can work with a client secret alone; otherwise it uses the practice tenant
            when .env names no certificate.
        registered: whether an app is there already. If not, the practice tenant has none, a real tenant's settings need
            not name one, and `client_id` is None unless they do.
        stay_with: the open practice bench that is given back when no real tenant is named, so that what was made there
            and the portal's address stay as they are.
        practice: what the practice tenant is prepared with, see `PracticeOptions`. Of these, a real tenant is only
            asked for `roles`.

    Raises:
        WorkbookProblem: one sentence about what is wrong with the settings, the key files, or the network.
        TypeError: an argument that there is not.
    """
    options = PracticeOptions(**practice)
    options = replace(options, roles=tuple(options.roles), certificates=tuple(options.certificates))
    if not registered:
        options = replace(options, register_certificate=False, certificates=(), secret=False)
    forced = practice_only or practice_is_forced()
    values = {} if forced else read_settings()
    if stay_with and not any(values.values()):
        print("\n".join(_lines_of_staying()))
        return stay_with
    while _open_tenants:
        _open_tenants.pop().close()
    notes = [*_unwritable_folders(), *([] if forced else remarks(values))]
    if any(values.values()):
        settings = real_tenant(values, needs_app=registered)
        if settings.pair or secret_is_enough:
            bench = _open_real(settings, options.roles, registered)
            if values.get("OIDC_AUTHORITY"):
                print(
                    "Note     OIDC_AUTHORITY is read by graph_daemon.py; the chapters sign in at AZURE_AUTHORITY_HOST"
                )
            return bench
        notes.append(
            "your settings name a client secret and no certificate, so this chapter, which is about the certificate, "
            "uses the practice tenant"
        )
    bench = _open_practice(options)
    lines = _practice_lines(options, practice_only)
    if _marks.are_set:
        notes.append(
            "this kernel has read your own tenant and its variables may hold data of it: restart it before you commit "
            "what it shows"
        )
    print("\n".join(lines + [f"Note     {note}" for note in notes]))
    return bench


def _output_folder() -> Path:
    return Path(os.environ.get("WORKBOOK_OUTPUT") or ROOT / "notebooks" / "output")


def _unwritable_folders() -> list[str]:
    """A sentence when chapters cannot write their files, as in a copy that a class shares and nobody may change."""
    for folder in (keys_folder(), _output_folder()):
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not os.access(there, os.W_OK):
            return [
                "the chapters cannot write files here: copy the workbook to a folder of your own, or let WORKBOOK_KEYS "
                "and WORKBOOK_OUTPUT name folders that you may write"
            ]
    return []


def _open_practice(options: PracticeOptions) -> Bench:
    """The practice tenant, and those of its customers, which all start at the same time."""
    with ExitStack() as tenants:
        if not options.customers:
            bench = practice_bench(options)
            tenants.callback(bench.practice.close if bench.practice else lambda: None)
            _open_tenants.append(tenants.pop_all())
            return bench
        folder = tempfile.TemporaryDirectory(prefix="workbook-registrations-", ignore_cleanup_errors=True)
        share = f"--registrations={tenants.enter_context(folder)}"
        pair = practice_pair()
        commands = {HOME: [*options.command_line(pair), share, "--multi-tenant"]}
        for name in options.customers:
            commands[name] = [*options.customer(name).command_line(pair), share, f"--tenant={name}"]
        started = _start_together(commands, tenants)
        bench = replace(
            practice_bench(options, started[HOME]), tenants=started, expired_pfx_path=expired_pair().pfx_path
        )
        _open_tenants.append(tenants.pop_all())
    return bench


def _start_together(commands: Mapping[str, list[str]], tenants: ExitStack) -> dict[str, PracticeTenant]:
    """Starts a tenant for each command line; `tenants` closes them all, and does so when one of them does not start."""
    with ThreadPoolExecutor(len(commands)) as pool:
        starting = {name: pool.submit(PracticeTenant, options) for name, options in commands.items()}
    for future in starting.values():
        if not future.exception():
            tenants.callback(future.result().close)
    return {name: future.result() for name, future in starting.items()}


def practice_bench(options: PracticeOptions | None = None, tenant: PracticeTenant | None = None) -> Bench:
    """A bench on a practice tenant of its own, without a word; the caller closes `bench.practice`.

    Args:
        options: what it is prepared with.
        tenant: the tenant, when it is running already.
    """
    options = options or PracticeOptions()
    pair = practice_pair()
    tenant = tenant or PracticeTenant(options.command_line(pair))
    session = RecordingSession(Places(tenant.authority, tenant.graph_endpoint, (tenant.tenant_id,), tenant.client_id))
    # REQUESTS_CA_BUNDLE beats verify=, and HTTPS_PROXY is applied to 127.0.0.1, unless the environment is left out.
    session.trust_env = False
    session.verify = tenant.ca_certificate
    return Bench(
        is_practice=True,
        tenant_id=tenant.tenant_id,
        client_id=tenant.client_id,
        authority=tenant.authority,
        graph_endpoint=tenant.graph_endpoint,
        scope=[f"https://{GLOBAL.graph[0]}/.default"],
        instance_discovery=False,
        client_secret=Hidden(PRACTICE_SECRET) if options.secret else None,
        session=session,
        practice=tenant,
        **_key_fields(pair),
    )


# --- a real tenant ------------------------------------------------------------------------------------------------


def _open_real(settings: Settings, roles: Iterable[str], registered: bool) -> Bench:
    _marks.set(shell_here())
    tenant_id = _ask_for_tenant(settings)
    places = Places(
        settings.authority,
        settings.graph_endpoint,
        tuple({settings.authority.rpartition("/")[2], tenant_id}),
        settings.client_id,
        show_hosts=True,
    )
    bench = Bench(
        is_practice=False,
        tenant_id=tenant_id,
        client_id=settings.client_id,
        authority=settings.authority,
        graph_endpoint=settings.graph_endpoint,
        scope=settings.scope,
        instance_discovery=urlsplit(settings.authority).hostname in WELL_KNOWN_AUTHORITY_HOSTS,
        client_secret=settings.client_secret,
        session=RecordingSession(places, is_real=True),
        **_key_fields(settings.pair),
    )
    token, missing = "", "an app registration; this chapter asks before it makes one"
    if registered:
        token, missing = ", a token from Entra ID", _what_is_missing(bench, roles)
    print(f"Tenant   your own, {settings.tenant}")
    print(f"Ready    the settings, {_credential_in_words(settings)}{token}")
    print(f"Missing  {missing or 'nothing'}")
    if settings.pair is None:
        print("Note     a client secret and no certificate: chapters about certificates use the practice tenant")
    print(
        "Privacy  outputs now hold data of your organisation: before you commit or send this notebook, run\n"
        "         python tests/tools/outputs_guard.py --restore in the folder above it"
    )
    return bench


def _credential_in_words(settings: Settings) -> str:
    if settings.pair is None:
        return "a client secret"
    return f"a certificate valid until {settings.pair.valid_until:%Y-%m-%d}"


def _what_is_missing(bench: Bench, roles: Iterable[str]) -> str:
    """Gets a token as a chapter would and asks Graph for one user; an empty text when all is well.

    Raises:
        WorkbookProblem: Entra ID gives no token: nothing works before that is cured.
    """
    session = RecordingSession(bench.session.places, is_real=True)  # what it sends is no part of the lesson
    credential: Any = bench.client_secret
    if bench.private_key:
        credential = {"private_key": str(bench.private_key), "public_certificate": bench.certificate}
    try:
        app = msal.ConfidentialClientApplication(
            bench.client_id,
            authority=bench.authority,
            client_credential=credential,
            http_client=session,
            instance_discovery=bench.instance_discovery,
        )
        result = app.acquire_token_for_client(bench.scope)
    except ValueError as error:
        raise WorkbookProblem(f"MSAL cannot use the settings in .env ({type(error).__name__}): check them.") from None
    if "access_token" not in result:
        raise WorkbookProblem(refused_by_entra(result))
    has = _roles_in(result["access_token"])
    lacking = [role for role in roles if role not in has]
    if not lacking:
        return ""
    answer = session.get(
        f"{bench.graph_endpoint}/users?$top=1&$select=id", headers={"Authorization": f"Bearer {result['access_token']}"}
    )
    if answer.ok:  # another role, such as Directory.Read.All, is enough
        return ""
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        body = None
    return refused_by_graph(answer.status_code, body, lacking)


def _roles_in(token: str) -> list[str]:
    """The claim roles, to be looked at only: a token is made for Graph, and its form may change."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return list(claims.get("roles", []))
    except (ValueError, IndexError, AttributeError, TypeError):
        return []


def _ask_for_tenant(settings: Settings) -> str:
    """The tenant's GUID as its discovery document gives it: the first request that a wrong tenant id would spoil.

    Sources: entra docs v2-protocols-oidc.md; an unknown tenant is HTTP 400 with AADSTS90002.
    """
    places = Places(settings.authority, settings.graph_endpoint, (settings.tenant,))
    session = RecordingSession(places, is_real=True)
    answer = session.get(f"{settings.authority}/v2.0/.well-known/openid-configuration")
    host = urlsplit(settings.authority).hostname
    if answer.status_code in {400, 404}:
        raise WorkbookProblem(
            f"{host} knows no tenant {settings.tenant}: compare AZURE_TENANT_ID in .env with Directory (tenant) ID on "
            "the app's Overview page."
        )
    try:
        return str(answer.json()["token_endpoint"].split("/")[3])
    except (requests.JSONDecodeError, LookupError, TypeError, AttributeError):
        raise WorkbookProblem(
            f"{host} did not answer like Entra ID (HTTP {answer.status_code}): check AZURE_AUTHORITY_HOST in .env, or "
            "whether a network sign-in page is in between."
        ) from None


def _key_fields(pair: KeyPair | None) -> dict[str, Any]:
    return {
        "keys": keys_folder(),
        "private_key_path": pair.private_key_path if pair else None,
        "certificate_path": pair.certificate_path if pair else None,
        "pfx_path": pair.pfx_path if pair else None,
        "certificate": pair.certificate if pair else "",
        "private_key": pair.private_key if pair else Hidden(),
        "passphrase": pair.passphrase if pair else None,
    }


def _lines_of_staying() -> list[str]:
    """What is said in the place of `_practice_lines` when nothing was opened."""
    return [
        "Tenant   the practice tenant, still the one from above",
        "Ready    Entra ID and Microsoft Graph, as you left them",
        "Missing  nothing; to use your own tenant, copy env.sample to .env and fill it in",
    ]


def _practice_lines(options: PracticeOptions, practice_only: bool) -> list[str]:
    """Three lines that are the same on every machine: no path, no port, nothing about where the key came from."""
    credentials = []
    if options.register_certificate or options.certificates:
        credentials.append("its certificate")
    if options.secret:
        credentials.append("a client secret")
    consent = f"consent to {', '.join(options.roles)}" if options.roles else "no consent yet"
    ready = f"an app with {' and '.join(credentials)}, {consent}" if credentials else "no app yet"
    if practice_only:
        missing = "nothing; the cells from here on use the practice tenant even when .env names your own"
    else:
        missing = "nothing; to use your own tenant, copy env.sample to .env and fill it in"
    if options.customers:
        return [
            f"Tenant   {len(options.customers) + 1} practice tenants, on this machine only",
            f"Ready    Entra ID and Microsoft Graph of each; in {HOME} an app for all of them, {consent}",
            f"Missing  consent in the other {len(options.customers)}; this chapter uses practice tenants only",
        ]
    return [
        "Tenant   the practice tenant, on this machine only",
        f"Ready    Entra ID and Microsoft Graph; {ready}",
        f"Missing  {missing}",
    ]
