"""The command line's options: what may be asked for, and one sentence for everything else."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .directory.made_people import SIGN_IN_NAMES
from .directory.organisation import CONTOSO_LABEL, organisation
from .directory.registrations import shared_folder
from .directory.tenant import Settings
from .directory.well_known import GRAPH_APP_ROLES

MOST_USERS = 5_000_000
LONGEST_LATENCY_MS = 60_000


class Options(argparse.ArgumentParser):
    """Says what is wrong in one line, with status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def options_parser() -> Options:
    """The parser of ``python -m practice_tenant``."""
    parser = Options(prog="practice_tenant", description="Entra ID and a slice of Microsoft Graph on loopback.")
    add = parser.add_argument
    add("--port", type=_whole(0, 65535), default=0, help="TCP port on 127.0.0.1; 0 picks a free one (default)")
    add(
        "--users",
        type=_whole(1, MOST_USERS),
        metavar="N",
        help="size of the directory, the practice administrator included (default: the people in data/)",
    )
    add(
        "--sign-in-names",
        choices=SIGN_IN_NAMES,
        default="mixed",
        help="how the made people beyond data/ sign in: with names, with numbers, or with numbers behind one letter",
    )
    add(
        "--tenant",
        metavar="NAME",
        default=CONTOSO_LABEL,
        help="be another organisation, with an id, a domain and people of its own, the same every time for a name",
    )
    add(
        "--registrations",
        type=Path,
        metavar="FOLDER",
        help="tenants that are given the same folder know each other's multi-tenant apps",
    )
    add(
        "--multi-tenant",
        action="store_true",
        help="let other tenants consent to the app of --certificate, which then asks them for --role",
    )
    add(
        "--certificate",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="register one daemon app with this certificate (PEM or DER); may be repeated",
    )
    add("--secret", metavar="TEXT", help="give that app this client secret too")
    add(
        "--role",
        action="append",
        metavar="NAME",
        help="application role granted to that app; may be repeated; 'none' grants nothing (default: User.Read.All)",
    )
    latency = _whole(0, LONGEST_LATENCY_MS)
    add("--latency-ms", type=latency, default=0, metavar="N", help="added to every answer of Graph")
    add("--throttle", action="store_true", help="enforce Graph's resource-unit limits")
    add("--portal", action="store_true", help="serve the practice portal on a second port")
    add(
        "--portal-behind-proxy",
        action="store_true",
        help="let the portal answer under every host name, as a proxy needs it (implies --portal)",
    )
    add("--until-stdin-closes", action="store_true", help="ignore SIGINT and end when standard input ends")
    return parser


def read_settings(options: argparse.Namespace) -> Settings:
    """What the options say about the tenant.

    Raises:
        ValueError: a certificate that cannot be read, a role that is not known, a name that no tenant can have, a
            folder that is not there; one sentence that says what to do.
    """
    whose = organisation(options.tenant)
    if options.multi_tenant and not options.certificate:
        raise ValueError("--multi-tenant is about the app of --certificate: give one.")
    if options.multi_tenant and options.secret:
        raise ValueError("--multi-tenant goes with --certificate alone: a secret is not known in other tenants here.")
    return Settings(
        users=options.users,
        sign_in_names=options.sign_in_names,
        certificates=tuple(_read_certificate(path) for path in options.certificate),
        secret=options.secret,
        roles=_roles(options.role),
        organisation=whose,
        multi_tenant=options.multi_tenant,
        registrations=shared_folder(options.registrations, whose.id) if options.registrations else None,
    )


def _whole(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most} is needed, not '{text}'")
        return int(text)

    return number


def _read_certificate(path: Path) -> bytes:
    """The DER bytes of a PEM or DER certificate file.

    Raises:
        ValueError: one sentence that says what to do.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"certificate '{path}' cannot be read ({error.strerror}): check the path.") from None
    load = x509.load_pem_x509_certificate if b"-----BEGIN" in data else x509.load_der_x509_certificate
    try:
        return load(data).public_bytes(Encoding.DER)
    except ValueError:
        raise ValueError(
            f"'{path}' holds no certificate: give the .crt or .cer, not the private key and not the .pfx."
        ) from None


def _roles(names: list[str] | None) -> tuple[str, ...]:
    if names is None:
        return ("User.Read.All",)
    if names == ["none"]:
        return ()
    for name in names:
        if name not in GRAPH_APP_ROLES:
            known = ", ".join(GRAPH_APP_ROLES)
            raise ValueError(f"role '{name}' is not known here: choose among {known}, or 'none' alone.")
    return tuple(dict.fromkeys(names))
