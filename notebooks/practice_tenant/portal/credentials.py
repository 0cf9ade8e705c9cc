"""Certificates & secrets of an app: what it proves itself with.

The questions before one is removed, and what is said to the same certificate twice, are chosen, not sourced.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ..formats import graph_time
from ..graph.page_tokens import read_token, write_token
from .certificate_file import CertificateFile, read_certificate
from .click import Click, Moved, Problem, Refused, segment
from .html import Content, Markup, element
from .layout import (
    APP_MENU,
    Page,
    action,
    button,
    commands,
    day,
    field_of,
    guid,
    joined,
    note,
    post_form,
    table,
    tabs,
)
from .registrations import subject_of, trail_of

SELECTED = "id,appId,displayName,keyCredentials,passwordCredentials"
SECRET_SHOWN = 600  # seconds: so long the page of a new secret shows it when it is loaded again
PURPOSE = (
    "Credentials enable confidential applications to identify themselves to the authentication service when receiving "
    "tokens at a web addressable location (using an HTTPS scheme). For a higher level of assurance, we recommend "
    "using a certificate (instead of a client secret) as a credential."
)
LIFETIMES = (
    ("180", "Recommended: 180 days (6 months)"),
    ("90", "90 days (3 months)"),
    ("365", "365 days (12 months)"),
    ("545", "545 days (18 months)"),
    ("730", "730 days (24 months)"),
)


# --- what is there ---------------------------------------------------------------------------------------------------


def show(click: Click) -> Page:
    """``credentials``: three tabs."""
    application = subject_of(click, SELECTED)
    federated = _federated_credentials(click, application)
    counts = {
        "": ("Certificates", len(application["keyCredentials"])),
        "secrets": ("Client secrets", len(application["passwordCredentials"])),
        "federated": ("Federated credentials", len(federated)),
    }
    tab = click.query.get("tab", "")
    if tab == "federated":
        shown = _federated(federated)
    elif tab == "secrets":
        shown = _secrets(click, application)
    else:
        shown = _certificates(click, application)
    content = joined(
        element("p", PURPOSE),
        tabs(
            click,
            "Kinds of credentials",
            [(value, f"{text} ({count})", "credentials") for value, (text, count) in counts.items()],
        ),
        shown,
    )
    return _page(click, application, "Certificates & secrets", content, below=False)


def _certificates(click: Click, application: dict[str, Any]) -> Markup:
    now = click.tenant.now()
    rows = [
        (
            guid(one["customKeyIdentifier"] or ""),
            one["displayName"],
            day(one["startDateTime"]),
            _until(one["endDateTime"], now),
            one["keyId"],
            _remove(click, application, one, "certificate"),
        )
        for one in application["keyCredentials"]
    ]
    return joined(
        element(
            "p",
            "Certificates can be used as secrets to prove the application's identity when requesting a token. Also "
            "can be referred to as public keys.",
        ),
        commands(action("Upload certificate", click.link("upload", id=application["id"]), main=True)),
        table(
            "Certificates",
            ("#Thumbprint", "Description", "Start date", "Expires", "#Certificate ID", "What to do"),
            rows,
            "No certificates have been added for this application.",
        ),
    )


def _remove(click: Click, application: dict[str, Any], credential: dict[str, Any], kind: str) -> Markup:
    """The link to the question whether a certificate or a secret shall go; the aria-label says which one."""
    return element(
        "a",
        "Remove",
        class_="action",
        href=click.link(f"remove-{kind}", id=application["id"], key=credential["keyId"]),
        aria_label=f"Remove {kind} {credential['displayName'] or credential['keyId']}",
    )


def _secrets(click: Click, application: dict[str, Any]) -> Markup:
    now = click.tenant.now()
    fresh = _fresh_secret(click, application)
    rows = [
        (
            one["displayName"] or "No description",
            _until(one["endDateTime"], now),
            _value(one, fresh),
            one["keyId"],
            _remove(click, application, one, "secret"),
        )
        for one in application["passwordCredentials"]
    ]
    return joined(
        element(
            "p",
            "A secret string that the application uses to prove its identity when requesting a token. Also can be "
            "referred to as application password.",
        ),
        note("Copy the value now. It is not shown again once you leave this page.") if fresh else None,
        commands(action("New client secret", click.link("secret", id=application["id"]), main=True)),
        table(
            "Client secrets",
            ("Description", "Expires", "#Value", "#Secret ID", "What to do"),
            rows,
            "No client secrets have been created for this application.",
        ),
    )


def _federated(credentials: list[dict[str, Any]]) -> Markup:
    rows = [(one["name"], one["issuer"], one["subject"], one["description"]) for one in credentials]
    return joined(
        element(
            "p", "With a federated credential an app shows a token of another service instead of a key of its own."
        ),
        table(
            "Federated credentials",
            ("Name", "Issuer", "Subject", "Description"),
            rows,
            "No federated credentials have been added for this application. Here they are added by Graph calls only.",
        ),
    )


def _federated_credentials(click: Click, application: dict[str, Any]) -> list[dict[str, Any]]:
    path = f"applications/{segment(application['id'])}/federatedIdentityCredentials"
    found: list[dict[str, Any]] = click.get(path)["value"]
    return found


def _until(moment: str, now: float) -> Content:
    """The day a credential ends, and in words when that day is past."""
    if datetime.fromisoformat(moment).timestamp() > now:
        return day(moment)
    return [day(moment), " ", element("span", "Expired", class_="state over")]


# --- certificates ----------------------------------------------------------------------------------------------------


def show_upload(click: Click) -> Page:
    """``upload``: Upload certificate."""
    application = subject_of(click, "id,appId,displayName")
    form = post_form(
        click.link("upload", id=application["id"]),
        field_of(
            "Upload a certificate (public key) with one of the following file types: .cer, .pem, .crt",
            element("input", type="file", name="certificate", accept=".cer,.pem,.crt"),
            "The certificate, never the private key: nobody but the daemon's own machine needs that.",
        ),
        field_of(
            "Description",
            element(
                "input",
                type="text",
                name="description",
                value=click.form.fields.get("description", ""),
                autocomplete="off",
            ),
            "Left empty, the certificate is called by its subject.",
        ),
        commands(button("Add"), action("Cancel", click.link("credentials", id=application["id"]))),
        upload=True,
    )
    return _page(click, application, "Upload certificate", form)


def upload(click: Click) -> Moved:
    """``upload``: all certificates there are and the new one, because Graph replaces the whole collection."""
    picked = read_certificate(click.form.files.get("certificate"), click.tenant.now())
    application = subject_of(click, "id,displayName,keyCredentials")
    known = application["keyCredentials"]
    if any((one["customKeyIdentifier"] or "").upper() == picked.thumbprint for one in known):
        raise Problem(
            409,
            f"This certificate is there already: its thumbprint is {picked.thumbprint}.",
            "Upload another one, or press Cancel.",
        )
    added = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": picked.key}
    if click.form.text("description"):
        added["displayName"] = click.form.text("description")
    try:
        click.send("PATCH", f"applications/{segment(application['id'])}", {"keyCredentials": [*known, added]})
    except Refused as refused:
        raise _explained(refused, picked) from None
    said = f"Successfully updated application {application['displayName']} credentials. Thumbprint: {picked.thumbprint}"
    return click.done(said, "credentials", id=application["id"])


def _explained(refused: Refused, picked: CertificateFile) -> Refused:
    if refused.code == "KeyCredentialsInvalidEndDate" and picked.ended:
        refused.cure = f"The certificate ended on {picked.ended}. Make a new one, and upload that."
    elif refused.code == "KeyCredentialsInvalidValue":
        refused.cure = (
            "The file holds no certificate that can be read. Choose the one that begins with -----BEGIN "
            "CERTIFICATE-----, or its DER form."
        )
    return refused


def show_remove_certificate(click: Click) -> Page:
    """``remove-certificate``: the question."""
    application = subject_of(click, SELECTED)
    credential = _named(click, application["keyCredentials"], "certificate")
    question = joined(
        element("p", "Remove the certificate ", element("b", credential["displayName"] or ""), "? "),
        facts_of_certificate(credential),
        note("A daemon that proves itself with it gets no more tokens. Those it has stay good until they expire."),
        post_form(
            click.link("remove-certificate", id=application["id"], key=credential["keyId"]),
            commands(
                button("Yes, remove", class_="grave"), action("No", click.link("credentials", id=application["id"]))
            ),
        ),
    )
    return _page(click, application, "Remove certificate", question)


def facts_of_certificate(credential: dict[str, Any]) -> Markup:
    """The thumbprint of a certificate, where one may look twice before removing it."""
    return element("p", "Thumbprint ", guid(credential["customKeyIdentifier"] or ""))


def remove_certificate(click: Click) -> Moved:
    """``remove-certificate``: all certificates but this one."""
    application = subject_of(click, "id,displayName,keyCredentials")
    gone = _named(click, application["keyCredentials"], "certificate")
    left = [one for one in application["keyCredentials"] if one["keyId"] != gone["keyId"]]
    click.send("PATCH", f"applications/{segment(application['id'])}", {"keyCredentials": left})
    said = f"Successfully updated application {application['displayName']} credentials. One certificate was removed."
    return click.done(said, "credentials", id=application["id"])


# --- client secrets --------------------------------------------------------------------------------------------------


def show_new_secret(click: Click) -> Page:
    """``secret``: Add a client secret."""
    application = subject_of(click, "id,appId,displayName")
    picked = click.form.text("days") or LIFETIMES[0][0]
    options = [element("option", text, value=value, selected=value == picked) for value, text in LIFETIMES]
    form = joined(
        note("A certificate is better: a secret travels with every request for a token, a private key never does."),
        post_form(
            click.link("secret", id=application["id"]),
            field_of(
                "Description",
                element(
                    "input",
                    type="text",
                    name="description",
                    value=click.form.fields.get("description", ""),
                    autocomplete="off",
                ),
            ),
            field_of("Expires", element("select", options, name="days")),
            commands(button("Add"), action("Cancel", click.link("credentials", id=application["id"], tab="secrets"))),
        ),
    )
    return _page(click, application, "Add a client secret", form)


def add_secret(click: Click) -> Moved:
    """``secret``: a new secret; its value goes to the next page sealed, so that no log and no history has it."""
    application = subject_of(click, "id,displayName")
    days = click.form.text("days") or LIFETIMES[0][0]
    if days not in dict(LIFETIMES):
        raise Problem(400, "This lifetime is not on offer.", "Choose one from the list, then press Add.")
    end = click.tenant.now() + timedelta(days=int(days)).total_seconds()
    wanted = {"displayName": click.form.text("description") or None, "endDateTime": graph_time(end)}
    path = f"applications/{segment(application['id'])}/addPassword"
    added = click.send("POST", path, {"passwordCredential": wanted})
    sealed = write_token(
        click.tenant.page_tokens, ["portal secret", added["keyId"], added["secretText"], click.tenant.now()]
    )
    said = f"Successfully updated application {application['displayName']} credentials."
    return click.done(said, "credentials", id=application["id"], tab="secrets", shown=sealed)


def _fresh_secret(click: Click, application: dict[str, Any]) -> tuple[str, str] | None:
    """Id and value of the secret that was made by the click before this page, None on every other."""
    said = read_token(click.tenant.page_tokens, click.query.get("shown", ""))
    if not isinstance(said, list) or len(said) != 4 or said[0] != "portal secret":
        return None
    _, key_id, text, made = said
    return (key_id, text) if click.tenant.now() < made + SECRET_SHOWN else None


def _value(credential: dict[str, Any], fresh: tuple[str, str] | None) -> Markup:
    if fresh and fresh[0] == credential["keyId"]:
        return element("code", fresh[1], class_="secret")
    return element("code", f"{credential['hint']}******")


def show_remove_secret(click: Click) -> Page:
    """``remove-secret``: the question."""
    application = subject_of(click, SELECTED)
    credential = _named(click, application["passwordCredentials"], "client secret")
    named = credential["displayName"] or credential["keyId"]
    question = joined(
        element("p", "Remove the client secret ", element("b", named), "?"),
        note("Whoever still proves itself with it gets no more tokens. This cannot be undone."),
        post_form(
            click.link("remove-secret", id=application["id"], key=credential["keyId"]),
            commands(
                button("Yes, remove", class_="grave"),
                action("No", click.link("credentials", id=application["id"], tab="secrets")),
            ),
        ),
    )
    return _page(click, application, "Remove client secret", question)


def remove_secret(click: Click) -> Moved:
    """``remove-secret``: it is good for nothing from now on."""
    application = subject_of(click, SELECTED)
    gone = _named(click, application["passwordCredentials"], "client secret")
    click.send("POST", f"applications/{segment(application['id'])}/removePassword", {"keyId": gone["keyId"]})
    said = f"Successfully updated application {application['displayName']} credentials. One secret was removed."
    return click.done(said, "credentials", id=application["id"], tab="secrets")


# --- shared ----------------------------------------------------------------------------------------------------------


def _named(click: Click, credentials: list[dict[str, Any]], what: str) -> dict[str, Any]:
    """The credential a page is about.

    Raises:
        Problem: it has been removed since the page before was shown.
    """
    found = next((one for one in credentials if one["keyId"] == click.query.get("key")), None)
    if found is None:
        raise Problem(
            409,
            f"This {what} is not there any more. The page you came from is older than the last change.",
            "Go to Certificates & secrets to see what is there now.",
            heading="Stale page",
        )
    return found


def _page(click: Click, application: dict[str, Any], title: str, content: Content, *, below: bool = True) -> Page:
    trail = trail_of(click, application)
    if below:
        trail.append(("Certificates & secrets", click.link("credentials", id=application["id"])))
    return Page(title, content, menu=APP_MENU, opened="credentials", subject=application["displayName"], trail=trail)
