"""Enterprise apps: the service principals of the tenant, and what each was granted.

That the list leaves out what has no tag of the portal's, and every question and notification, is chosen, not sourced.
"""

from __future__ import annotations

from typing import Any

from ..directory.well_known import MICROSOFT_TENANT_ID
from .click import Click, Gone, Moved, Problem, literal, segment
from .granted import Granted, read_granted, revoke
from .html import Content, Markup, element
from .layout import (
    PRINCIPAL_MENU,
    Page,
    action,
    button,
    commands,
    facts,
    field_of,
    guid,
    joined,
    note,
    post_form,
    table,
    tabs,
)
from .registrations import IN_PORTAL_TAG, MOST_SHOWN, search_form

SELECTED = "id,appId,displayName,accountEnabled,appRoleAssignmentRequired,notes,tags,appOwnerOrganizationId"
MICROSOFT = "one of Microsoft's own, which are in every tenant"


# --- the list --------------------------------------------------------------------------------------------------------


def show_list(click: Click) -> Page:
    """``enterprise``: those with the portal's tag, or all."""
    everything = click.query.get("tab") == "all"
    wanted = click.query.get("search", "").strip()
    conditions = []
    if not everything:
        conditions.append(f"tags/any(t:t eq '{IN_PORTAL_TAG}')")
    if wanted:
        conditions.append(f"(startswith(displayName,{literal(wanted)}) or appId eq {literal(wanted)})")
    path = f"servicePrincipals?$select={SELECTED}&$top={MOST_SHOWN}"
    if conditions:
        path += "&$filter=" + " and ".join(conditions).replace(" ", "%20")
    found = click.get(path)
    rows = [
        (
            element("a", one["displayName"], href=click.link("principal", id=one["id"])),
            one["id"],
            one["appId"],
            _enabled(one),
        )
        for one in found["value"]
    ]
    content = joined(
        tabs(
            click,
            "Application type",
            [("", "Enterprise Applications", "enterprise"), ("all", "All Applications", "enterprise")],
        ),
        search_form(
            click,
            "enterprise",
            "Start of a display name, or an application ID",
            wanted,
            **({"tab": "all"} if everything else {}),
        ),
        table(
            "Enterprise apps of this tenant",
            ("Name", "#Object ID", "#Application ID", "Enabled for users to sign-in"),
            rows,
            "There is none to show.",
        ),
        None
        if everything
        else element(
            "p",
            "An app that was made by Graph, and not here, has no tag and is listed under All Applications only.",
            class_="hint",
        ),
    )
    return Page("Enterprise applications", content, current="enterprise")


def _enabled(principal: dict[str, Any]) -> Markup:
    if principal["accountEnabled"]:
        return element("span", "Yes", class_="state yes")
    return element("span", "No", class_="state over")


# --- one of them -----------------------------------------------------------------------------------------------------


def show(click: Click) -> Page:
    """``principal``: its ids, and the switches."""
    principal = _subject(click)
    application = click.find(f"applications(appId={literal(principal['appId'])})?$select=id,displayName")
    registration: Content = "registered in another tenant"
    if application is not None:
        registration = element("a", application["displayName"], href=click.link("app", id=application["id"]))
    elif principal["appOwnerOrganizationId"] == MICROSOFT_TENANT_ID:
        registration = MICROSOFT
    form = post_form(
        click.link("principal", id=principal["id"]),
        _switch(
            "enabled",
            "Enabled for users to sign-in?",
            principal["accountEnabled"],
            "No switches the app off: it gets no more tokens, a daemon neither. Less than deleting it, and undone in "
            "a moment.",
        ),
        _switch(
            "required",
            "Assignment required?",
            principal["appRoleAssignmentRequired"],
            "Yes gives tokens for this app only to whom a role of it was assigned.",
        ),
        field_of(
            "Notes",
            element("textarea", click.form.fields.get("notes", principal["notes"] or ""), name="notes", rows="2"),
        ),
        commands(button("Save"), action("Discard", click.link("principal", id=principal["id"]))),
    )
    content = joined(
        commands(action("Delete", click.link("delete-principal", id=principal["id"]))),
        facts(
            [
                ("Name", principal["displayName"]),
                ("App registration", registration),
                ("Application ID", guid(principal["appId"])),
                ("Object ID", guid(principal["id"])),
            ]
        ),
        element(
            "p",
            "This object ID is another one than that of the app registration. Consent hangs on this one.",
        ),
        form,
    )
    return _page(click, principal, "Properties", content, opened="principal", below=False)


def _switch(name: str, question: str, on: bool, hint: str) -> Markup:
    choices = [
        element(
            "label", element("input", type="radio", name=name, value=value, checked=on is state), text, class_="choice"
        )
        for value, text, state in (("yes", "Yes", True), ("no", "No", False))
    ]
    return element("fieldset", element("legend", question), choices, element("small", hint))


def save(click: Click) -> Moved:
    """``principal``: only what is different is sent."""
    principal = _subject(click)
    wanted = {"enabled": "accountEnabled", "required": "appRoleAssignmentRequired"}
    changes: dict[str, Any] = {}
    for field, name in wanted.items():
        picked = click.form.text(field)
        if picked not in ("yes", "no"):
            raise Problem(400, "Yes or No is missing.", "Choose one for each question, then press Save.")
        if principal[name] is not (picked == "yes"):
            changes[name] = picked == "yes"
    if click.form.text("notes") != (principal["notes"] or ""):
        changes["notes"] = click.form.text("notes") or None
    if not changes:
        raise Problem(400, "Nothing is different.", "Change something, then press Save.", heading="Nothing to save")
    click.send("PATCH", f"servicePrincipals/{segment(principal['id'])}", changes)
    said = f"Successfully updated {principal['displayName']}."
    return click.done(said, "principal", id=principal["id"])


def show_delete(click: Click) -> Page:
    """``delete-principal``: the question."""
    principal = _subject(click)
    content = joined(
        element("p", "Delete the enterprise app ", element("b", principal["displayName"]), "?"),
        note(
            "The app registration stays, but without its service principal it gets no token in this tenant. The "
            "admin center shows no deleted enterprise apps; Graph can restore one for 30 days."
        ),
        post_form(
            click.link("delete-principal", id=principal["id"]),
            commands(button("Delete", class_="grave"), action("Cancel", click.link("principal", id=principal["id"]))),
        ),
    )
    return _page(click, principal, "Delete enterprise app", content, opened="principal")


def delete(click: Click) -> Moved:
    """``delete-principal``: to the basket."""
    principal = _subject(click)
    click.send("DELETE", f"servicePrincipals/{segment(principal['id'])}")
    return click.done(f"Deleted the enterprise app {principal['displayName']}.", "enterprise")


# --- what it was granted ---------------------------------------------------------------------------------------------


def show_permissions(click: Click) -> Page:
    """``principal-permissions``: admin consent, or consent of single users."""
    principal = _subject(click)
    granted = read_granted(click, principal, {})
    by_users = click.query.get("tab") == "user"
    shown = [one for one in granted if one.for_everybody is not by_users]
    rows = [_row(click, principal, one, by_users) for one in shown]
    content = joined(
        tabs(
            click,
            "Kinds of consent",
            [("", "Admin consent", "principal-permissions"), ("user", "User consent", "principal-permissions")],
        ),
        table(
            "Granted permissions",
            ("Claim value", "API name", "Permission", "Type", "Granted through", "What to do"),
            rows,
            "Nothing was granted in this way.",
        ),
        element("p", "New permissions are asked for under App registrations > API permissions."),
    )
    return _page(click, principal, "Permissions", content, opened="principal-permissions", below=False)


def _row(click: Click, principal: dict[str, Any], one: Granted, by_users: bool) -> tuple[Content, ...]:
    permission = one.permission
    remove: Content = None
    if not by_users:
        where = {"grant": one.object_id, "value": permission.value}
        remove = element(
            "a",
            "Revoke permission",
            class_="action",
            href=click.link("revoke-permission", id=principal["id"], **where),
            aria_label=f"Revoke permission {permission.value}, {permission.type}",
        )
    through = "User consent" if by_users else "Admin consent"
    return permission.value, permission.resource["displayName"], permission.text, permission.type, through, remove


def show_revoke(click: Click) -> Page:
    """``revoke-permission``: the question."""
    principal = _subject(click)
    one = _asked(click, principal)
    content = joined(
        element("p", "Revoke ", element("b", one.permission.value), f" ({one.permission.type})?"),
        note("The next token is without it. A token that was given out before keeps it until it expires."),
        post_form(
            click.link("revoke-permission", id=principal["id"], grant=one.object_id, value=one.permission.value),
            commands(
                button("Yes, revoke", class_="grave"),
                action("No", click.link("principal-permissions", id=principal["id"])),
            ),
        ),
    )
    return _page(click, principal, "Revoke permission", content, opened="principal-permissions")


def revoke_permission(click: Click) -> Moved:
    """``revoke-permission``: the assignment, or the scope of the grant, is gone."""
    principal = _subject(click)
    one = _asked(click, principal)
    revoke(click, one)
    said = f"Revoked {one.permission.value} for {principal['displayName']}."
    return click.done(said, "principal-permissions", id=principal["id"])


def _asked(click: Click, principal: dict[str, Any]) -> Granted:
    for one in read_granted(click, principal, {}):
        wanted = (click.query.get("grant"), click.query.get("value"))
        if (one.object_id, one.permission.value) == wanted and one.for_everybody:
            return one
    raise Problem(
        409,
        "This permission is not granted any more. The page you came from is older than the last change.",
        "Go to Permissions to see what is there now.",
        heading="Stale page",
    )


# --- shared ----------------------------------------------------------------------------------------------------------


def _subject(click: Click) -> dict[str, Any]:
    path = f"servicePrincipals/{segment(click.object_id)}?$select={SELECTED}"
    found: dict[str, Any] | None = click.find(path) if click.object_id else None
    if found is None:
        raise Gone("enterprise app")
    return found


def _page(
    click: Click, principal: dict[str, Any], title: str, content: Content, *, opened: str, below: bool = True
) -> Page:
    trail = [("Enterprise apps", click.link("enterprise"))]
    if below:
        trail.append((principal["displayName"], click.link(opened, id=principal["id"])))
    return Page(
        title,
        content,
        current="enterprise",
        menu=PRINCIPAL_MENU,
        opened=opened,
        subject=principal["displayName"],
        trail=trail,
    )
