"""The bench a chapter works at: one call opens a tenant, practice or real, with everything a daemon needs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import requests
from msal.authority import WELL_KNOWN_AUTHORITY_HOSTS

from .exchange import Places
from .keys import ROOT, Hidden, KeyPair, keys_folder, practice_pair
from .practice import PracticeTenant
from .problems import WorkbookProblem
from .settings import REQUIRED, Settings, practice_is_forced, read_env_file, real_tenant
from .wire import RecordingSession, Wire

PRACTICE_SECRET = "practice-secret"  # noqa: S105 - opens the practice tenant only


@dataclass(frozen=True)
class Bench:
    """A tenant, an app registered in it, and a session to talk to both. Secrets do not show in its repr.

    `authority` and `graph_endpoint` have no trailing slash. The three paths are None where a real tenant's .env names
    no such file; `private_key` and `certificate` (PEM text) are there with every kind of file.
    `instance_discovery` is True for Microsoft's own hosts. MSAL knows no other one, and would have Microsoft refuse it.
    """

    is_practice: bool
    tenant_id: str
    client_id: str | None
    authority: str
    graph_endpoint: str
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

    @property
    def output(self) -> Path:
        """The folder for files with people's data: notebooks/output, git-ignored; WORKBOOK_OUTPUT names another."""
        return Path(os.environ.get("WORKBOOK_OUTPUT") or ROOT / "notebooks" / "output")

    @property
    def wire(self) -> Wire:
        """Everything this bench's session sent and received."""
        return self.session.wire


_open_tenants: list[PracticeTenant] = []  # the one that the kernel's bench uses; a list so that it can be replaced


def open_bench(
    *,
    practice_only: bool = False,
    roles: Iterable[str] = ("User.Read.All",),
    users: int | None = None,
    register_certificate: bool = True,
    certificates: Iterable[str | Path] = (),
    secret: bool = False,
    latency_ms: int = 0,
    throttle: bool = False,
    portal: bool = False,
) -> Bench:
    """Opens the tenant that .env names, or the practice tenant, and prints what is ready and what is missing.

    Called again, it ends the practice tenant of the call before.

    Args:
        practice_only: use the practice tenant also when .env names a real one: for chapters that break things.

    The rest concerns the practice tenant only:
        roles: application roles consented to the app; an empty one consents to nothing.
        users: size of the directory; None means the people in data/.
        register_certificate: whether the app has the certificate. Without it and without `secret` there is no app.
        certificates: files (PEM or DER) of more certificates that the app has.
        secret: whether the app has a client secret too.
        latency_ms: milliseconds added to every Graph answer.
        throttle: enforce Graph's limits.
        portal: serve the practice portal; `bench.practice.portal_url` is its address.

    Raises:
        WorkbookProblem: one sentence about what is wrong with the settings, the key files, or the network.
    """
    while _open_tenants:
        _open_tenants.pop().close()
    values = {} if practice_only or practice_is_forced() else read_env_file()
    if any(values.values()):
        return _open_real(real_tenant(values))
    roles, certificates = tuple(roles), tuple(certificates)
    bench = practice_bench(
        roles=roles,
        users=users,
        register_certificate=register_certificate,
        certificates=certificates,
        secret=secret,
        latency_ms=latency_ms,
        throttle=throttle,
        portal=portal,
    )
    _open_tenants.append(bench.practice)
    for line in _practice_lines(roles, practice_only, register_certificate or bool(certificates), secret):
        print(line)
    if values:
        print(f"Note     .env is still empty: to use your own tenant, fill in {', '.join(REQUIRED)}")
    return bench


def practice_bench(
    *,
    roles: Iterable[str] = ("User.Read.All",),
    users: int | None = None,
    register_certificate: bool = True,
    certificates: Iterable[str | Path] = (),
    secret: bool = False,
    latency_ms: int = 0,
    throttle: bool = False,
    portal: bool = False,
) -> Bench:
    """A bench on a practice tenant of its own, without a word; the caller closes `bench.practice`."""
    pair = practice_pair()
    options = [f"--role={role}" for role in roles] or ["--role=none"]
    if register_certificate:
        options.append(f"--certificate={pair.certificate_path.resolve()}")
    options += [f"--certificate={Path(path).resolve()}" for path in certificates]
    if secret:
        options.append(f"--secret={PRACTICE_SECRET}")
    if users is not None:
        options.append(f"--users={users}")
    if latency_ms:
        options.append(f"--latency-ms={latency_ms}")
    if throttle:
        options.append("--throttle")
    if portal:
        options.append("--portal")
    tenant = PracticeTenant(options)
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
        instance_discovery=False,
        client_secret=Hidden(PRACTICE_SECRET) if secret else None,
        session=session,
        practice=tenant,
        **_key_fields(pair),
    )


def _open_real(settings: Settings) -> Bench:
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
        instance_discovery=urlsplit(settings.authority).hostname in WELL_KNOWN_AUTHORITY_HOSTS,
        client_secret=settings.client_secret,
        session=RecordingSession(places, explain_failures=True),
        **_key_fields(settings.pair),
    )
    print(f"Tenant   your own, {settings.tenant}")
    print(f"Ready    the settings in .env, a certificate valid until {settings.pair.valid_until:%Y-%m-%d}, the network")
    print("Missing  nothing that shows from here; consent to User.Read.All shows when Graph answers")
    return bench


def _ask_for_tenant(settings: Settings) -> str:
    """The tenant's GUID as its discovery document gives it: the first request that a wrong tenant id would spoil.

    Sources: entra docs v2-protocols-oidc.md; an unknown tenant is HTTP 400 with AADSTS90002.
    """
    places = Places(settings.authority, settings.graph_endpoint, (settings.tenant,))
    session = RecordingSession(places, explain_failures=True)
    answer = session.get(f"{settings.authority}/v2.0/.well-known/openid-configuration")
    host = session.wire.last.host
    if answer.status_code in {400, 404}:
        raise WorkbookProblem(
            f"{host} knows no tenant {settings.tenant}: compare AZURE_TENANT_ID in .env with Directory (tenant) ID on "
            "the app's Overview page."
        )
    try:
        return answer.json()["token_endpoint"].split("/")[3]
    except (requests.JSONDecodeError, LookupError, TypeError, AttributeError):
        raise WorkbookProblem(
            f"{host} did not answer like Entra ID (HTTP {answer.status_code}): check AZURE_AUTHORITY_HOST in .env, or "
            "whether a network sign-in page is in between."
        ) from None


def _key_fields(pair: KeyPair) -> dict:
    return {
        "keys": keys_folder(),
        "private_key_path": pair.private_key_path,
        "certificate_path": pair.certificate_path,
        "pfx_path": pair.pfx_path,
        "certificate": pair.certificate,
        "private_key": pair.private_key,
        "passphrase": pair.passphrase,
    }


def _practice_lines(roles: tuple[str, ...], practice_only: bool, certificate: bool, secret: bool) -> list[str]:
    """Three lines that are the same on every machine: no path, no port, nothing about where the key came from."""
    credentials = ["its certificate"] * certificate + ["a client secret"] * secret
    consent = f"consent to {', '.join(roles)}" if roles else "no consent yet"
    ready = f"an app with {' and '.join(credentials)}, {consent}" if credentials else "no app yet"
    if practice_only:
        missing = "nothing; this chapter uses the practice tenant even when .env names your own"
    else:
        missing = "nothing; to use your own tenant, copy env.sample to .env and fill it in"
    return [
        "Tenant   the practice tenant, on this machine only",
        f"Ready    Entra ID and Microsoft Graph; {ready}",
        f"Missing  {missing}",
    ]
