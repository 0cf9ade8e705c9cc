"""The claims of the tokens Entra gives out.

Sources: entra docs access-token-claims-reference.md and id-token-claims-reference.md; captured app-only tokens of 2024
to 2026.
"""

from __future__ import annotations

import secrets
from typing import Any

from ..directory.administrators import GLOBAL_ADMINISTRATOR, ORDINARY_USER
from ..directory.well_known import Person
from ..formats import encode_base64url

ISSUED_EARLIER = 300  # seconds: nbf and iat lie this far back, so that a slow clock elsewhere does no harm
APP_ONLY_MARKER = "0997a1d0-0d1d-4acb-b408-d5ca73121e90"  # stands in `wids` of every app-only Graph token


def app_only_claims(
    *,
    tenant_id: str,
    tenant_created: int,
    region: str,
    audience: str,
    client_id: str,
    app_name: str,
    app_created: int,
    service_principal_id: str,
    roles: list[str],
    by_certificate: bool,
    now: float,
    lifetime: int,
) -> dict[str, Any]:
    """The claims of an app-only Graph token, in the captured order.

    Args:
        audience: the resource as it was spelt in the scope, e.g. ``https://graph.microsoft.com``.
        roles: granted application permissions. Without any the claim is absent, not an empty list.
        by_certificate: tells ``appidacr`` 2 (certificate) from 1 (secret).
        now: Unix seconds of the request.
        lifetime: seconds from now until the token expires.
    """
    issued = int(now) - ISSUED_EARLIER
    issuer = f"https://sts.windows.net/{tenant_id}/"
    claims = {
        "aud": audience,
        "iss": issuer,
        "iat": issued,
        "nbf": issued,
        "exp": int(now) + lifetime,
        "aio": _opaque(27),
        "app_displayname": app_name,
        "appid": client_id,
        "appidacr": "2" if by_certificate else "1",
        "idp": issuer,
        "idtyp": "app",
        "oid": service_principal_id,
        "rh": f"1.{_opaque(33)}.",
        "roles": roles,
        "sub": service_principal_id,
        "tenant_region_scope": region,
        "tid": tenant_id,
        "uti": _opaque(16),
        "ver": "1.0",
        "wids": [APP_ONLY_MARKER],
        "xms_acd": app_created,
        "xms_act_fct": "3 9",
        "xms_ftd": _opaque(32),
        "xms_idrel": "7 22",
        "xms_rd": _opaque(24),
        "xms_sub_fct": "9 3",
        "xms_tcdt": tenant_created,
        "xms_tdbr": region,
        "xms_tnt_fct": "3 14",
    }
    if not roles:
        del claims["roles"]
    return claims


def delegated_claims(
    *,
    audience: str,
    tenant_id: str,
    tenant_created: int,
    region: str,
    client_id: str,
    app_name: str,
    person: Person,
    scopes: list[str],
    now: float,
    lifetime: int,
    directory_roles: tuple[str, ...] = (GLOBAL_ADMINISTRATOR,),
) -> dict[str, Any]:
    """The claims of a token that a public client got for a signed-in person.

    Names and meanings are documented (access-token-claims-reference.md); the set and its order are chosen, not sourced.

    Args:
        audience: the resource; Graph is named by its app id.
        person: who signed in.
        scopes: delegated permissions, which become ``scp``; there is no ``roles``.
        directory_roles: template ids of the person's directory roles, which become ``wids``.
    """
    issued = int(now) - ISSUED_EARLIER
    return {
        "aud": audience,
        "iss": f"https://sts.windows.net/{tenant_id}/",
        "iat": issued,
        "nbf": issued,
        "exp": int(now) + lifetime,
        "acct": 0,
        "acr": "1",
        "aio": _opaque(27),
        "amr": ["pwd", "mfa"],
        "app_displayname": app_name,
        "appid": client_id,
        "appidacr": "0",
        "idtyp": "user",
        "name": person.name,
        "oid": person.id,
        "rh": f"1.{_opaque(33)}.",
        "scp": " ".join(scopes),
        "sub": _opaque(32),
        "tenant_region_scope": region,
        "tid": tenant_id,
        "unique_name": person.user_principal_name,
        "upn": person.user_principal_name,
        "uti": _opaque(16),
        "ver": "1.0",
        "wids": [*directory_roles, ORDINARY_USER],
        "xms_tcdt": tenant_created,
    }


def id_token_claims(*, tenant_id: str, issuer: str, client_id: str, person: Person, now: float) -> dict[str, Any]:
    """The claims of a v2.0 ID token: who signed in, for the program itself to read (id-token-claims-reference.md)."""
    issued = int(now) - ISSUED_EARLIER
    return {
        "aud": client_id,
        "iss": issuer,
        "iat": issued,
        "nbf": issued,
        "exp": issued + 3900,
        "name": person.name,
        "oid": person.id,
        "preferred_username": person.user_principal_name,
        "rh": f"1.{_opaque(33)}.",
        "sub": _opaque(32),
        "tid": tenant_id,
        "uti": _opaque(16),
        "ver": "2.0",
    }


def _opaque(size: int) -> str:
    """Entra fills several claims with opaque text; so does the practice tenant, at random."""
    return encode_base64url(secrets.token_bytes(size))
