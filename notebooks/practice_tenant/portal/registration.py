"""One app registration: its overview, and how it is deleted."""

from __future__ import annotations

from typing import Any

from .click import Click, Moved, Problem, segment
from .html import Content, element
from .layout import APP_MENU, Page, action, button, commands, day, facts, guid, joined, note, post_form
from .registrations import IN_PORTAL_TAG, audience_in_words, subject_of, trail_of

SELECTED = (
    "id,appId,displayName,createdDateTime,signInAudience,keyCredentials,passwordCredentials,web,requiredResourceAccess"
)
UNDERSTOOD = "I understand the implications of deleting this app registration."


def show(click: Click) -> Page:
    """``app``: the overview with the ids that people mix up, each with its own name."""
    application = subject_of(click, SELECTED)
    principal = click.find(f"servicePrincipals(appId='{application['appId']}')?$select=id,displayName,accountEnabled")
    pages = {name: click.link(name, id=application["id"]) for name in ("credentials", "permissions", "delete")}
    if principal is None:
        managed: Content = post_form(
            click.link("create-principal", id=application["id"]), button("Create Service Principal", class_="quiet")
        )
    else:
        managed = element("a", principal["displayName"], href=click.link("principal", id=principal["id"]))
    essentials = facts(
        [
            ("Display name", application["displayName"]),
            ("Client credentials", element("a", _credentials(application), href=pages["credentials"])),
            ("Application (client) ID", guid(application["appId"])),
            ("Redirect URIs", f"{len(application['web'].get('redirectUris') or [])} web"),
            ("Object ID", guid(application["id"])),
            ("Managed application in local directory", managed),
            ("Directory (tenant) ID", guid(click.tenant.id)),
            ("Supported account types", audience_in_words(application["signInAudience"])),
            ("Created on", day(application["createdDateTime"])),
        ]
    )
    content = joined(
        commands(action("Delete", pages["delete"])),
        element("h2", "Essentials"),
        essentials,
        element(
            "p",
            "The daemon's settings need two of these: the application (client) ID and the directory (tenant) ID. The "
            "object ID is for Graph calls about the registration itself.",
        ),
        _switched_off(principal),
    )
    return Page(
        "Overview",
        content,
        menu=APP_MENU,
        opened="app",
        subject=application["displayName"],
        trail=[("App registrations", click.link("apps"))],
    )


def create_principal(click: Click) -> Moved:
    """``create-principal``: the enterprise app of a registration that has none."""
    application = subject_of(click, "id,appId,displayName")
    click.send("POST", "servicePrincipals", {"appId": application["appId"], "tags": [IN_PORTAL_TAG]})
    return click.done(f"Created the service principal of {application['displayName']}.", "app", id=application["id"])


def show_delete(click: Click) -> Page:
    """``delete``: the question, with the box that must be ticked."""
    application = subject_of(click, "id,appId,displayName")
    name = application["displayName"]
    content = joined(
        element("p", "Delete ", element("b", name), "? Its service principal, the enterprise app, goes with it."),
        note(
            "No new token is given out from then on. Tokens that were given out before stay good until they expire. "
            "For 30 days the registration can be restored under Deleted applications."
        ),
        post_form(
            click.link("delete", id=application["id"]),
            element(
                "label", element("input", type="checkbox", name="understood", value="yes"), UNDERSTOOD, class_="choice"
            ),
            commands(button("Delete", class_="grave"), action("Cancel", click.link("app", id=application["id"]))),
        ),
    )
    return Page(
        "Delete app registration",
        content,
        menu=APP_MENU,
        opened="app",
        subject=name,
        trail=trail_of(click, application),
    )


def delete(click: Click) -> Moved:
    """``delete``: both objects go to the basket."""
    application = subject_of(click, "id,displayName")
    if click.form.text("understood") != "yes":
        raise Problem(
            400, "The box is not ticked.", "Tick it if you understand what deleting means, then press Delete."
        )
    click.send("DELETE", f"applications/{segment(application['id'])}")
    return click.done(f"Successfully deleted application {application['displayName']}.", "apps", tab="deleted")


def _credentials(application: dict[str, Any]) -> str:
    certificates, secrets = len(application["keyCredentials"]), len(application["passwordCredentials"])
    if not certificates and not secrets:
        return "Add a certificate or secret"
    return f"{certificates} certificate, {secrets} secret"


def _switched_off(principal: dict[str, Any] | None) -> Content:
    if principal is None:
        return note("This registration has no service principal in this tenant, so it gets no token.")
    if not principal["accountEnabled"]:
        return note("The enterprise app is switched off (Enabled for users to sign-in is No), so it gets no token.")
    return None
