"""API permissions of an app: what it wishes for, what it was granted, and the consent in between.

The questions before one is removed or revoked, and the answer to consent without any, are chosen, not sourced.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from ..directory.well_known import GRAPH_APP_ID
from .click import Click, Moved, Problem, segment
from .granted import (
    ROLE,
    SCOPE,
    Granted,
    Permission,
    Permissions,
    all_offered,
    grant,
    offered,
    read_permissions,
    read_resource,
    revoke,
)
from .html import Content, Markup, element
from .layout import APP_MENU, Page, action, button, commands, field_of, hidden, joined, note, post_form, table
from .registrations import IN_PORTAL_TAG, subject_of, trail_of

SELECTED = "id,appId,displayName,requiredResourceAccess"
COLUMNS = ("API / Permissions name", "Type", "Description", "Admin consent required", "Status", "What to do")
PURPOSE = (
    "Applications are authorized to call APIs when they are granted permissions by users/admins as part of the consent "
    "process. The list of configured permissions should include all the permissions the application needs."
)
QUESTION = (
    "Do you want to grant consent for the requested permissions for all accounts in {tenant}? This will update any "
    "existing admin consent records this application already has to match what is listed below."
)
KEEP_OTHERS = (
    "Other permissions have been granted for this tenant that are not configured. Do you want to keep these other "
    "granted permissions?"
)
KINDS = {
    "delegated": (SCOPE, "Delegated permissions", "Your application needs to access the API as the signed-in user."),
    "application": (
        ROLE,
        "Application permissions",
        "Your application runs as a background service or daemon without a signed-in user.",
    ),
}


# --- what is there ---------------------------------------------------------------------------------------------------


def show(click: Click) -> Page:
    """``permissions``: the two lists, one above the other."""
    application = subject_of(click, SELECTED)
    found = read_permissions(click, application)
    tenant = click.tenant.name
    configured = table(
        "Configured permissions",
        COLUMNS,
        [_configured_row(click, application, found, one) for one in found.configured],
        "No permissions are configured for this application.",
    )
    others = None
    if found.others:
        others = joined(
            element("h2", f"Other permissions granted for {tenant}"),
            element(
                "p",
                f"These permissions have been granted for {tenant} but aren't in the configured permissions list.",
            ),
            table(
                "Other permissions granted",
                COLUMNS,
                [_other_row(click, application, one) for one in found.others],
                "",
            ),
        )
    content = joined(
        element("h2", "Configured permissions"),
        element("p", PURPOSE),
        _commands(click, application, found),
        configured,
        others,
        _what_is_missing(found, tenant),
        element(
            "p",
            "To view and manage consented permissions for individual apps, try ",
            element("a", "Enterprise applications", href=click.link("enterprise")),
            ".",
        ),
    )
    return _page(click, application, "API permissions", content, below=False)


def _commands(click: Click, application: dict[str, Any], found: Permissions) -> Markup:
    name = f"Grant admin consent for {click.tenant.name}"
    reason = _why_not(click, found)
    add = action("Add a permission", click.link("add-permission", id=application["id"]), main=True)
    if reason is None:
        return commands(add, action(name, click.link("consent", id=application["id"])))
    return joined(
        commands(add, button(name, disabled=True, type="button", aria_describedby="why-not")),
        element("p", f"{name} is disabled: {reason}", class_="hint", id="why-not"),
    )


def _why_not(click: Click, found: Permissions) -> str | None:
    """Why consent cannot even be asked for, None when it can."""
    if not click.acting.consents:
        return f"{click.acting.person.name} has no directory role that may consent. Ask an administrator."
    if not found.configured and not found.others:
        return "no permission is configured. Add one first."
    return None


def _configured_row(
    click: Click, application: dict[str, Any], found: Permissions, permission: Permission
) -> tuple[Content, ...]:
    granted = found.grants_of(permission)
    things = [("Remove permission", "remove-permission")]
    if granted:
        things.append(("Revoke admin consent", "revoke"))
    return (
        *_described(permission),
        _status(click, permission, bool(granted)),
        _things(click, application, permission, things),
    )


def _other_row(click: Click, application: dict[str, Any], one: Granted) -> tuple[Content, ...]:
    things = [("Revoke admin consent", "revoke")]
    permission = one.permission
    return (*_described(permission), _status(click, permission, True), _things(click, application, permission, things))


def _described(permission: Permission) -> tuple[Content, ...]:
    needed = "Yes" if permission.needs_admin else "No"
    name = [permission.value, element("small", permission.resource["displayName"])]
    return name, permission.type, permission.text, needed


def _status(click: Click, permission: Permission, granted: bool) -> Content:
    if granted:
        return element("span", f"Granted for {click.tenant.name}", class_="state yes")
    if permission.needs_admin:
        return element("span", f"Not granted for {click.tenant.name}", class_="state no")
    return None


def _things(click: Click, application: dict[str, Any], permission: Permission, things: list[tuple[str, str]]) -> Markup:
    where = {"api": permission.resource["appId"], "kind": permission.kind, "permission": permission.id}
    links = [
        element(
            "a",
            text,
            class_="action",
            href=click.link(page, id=application["id"], **where),
            aria_label=f"{text}: {permission.value}, {permission.type}",
        )
        for text, page in things
    ]
    return commands(*links)


def _what_is_missing(found: Permissions, tenant: str) -> Content:
    waiting = [one for one in found.configured if one.needs_admin and not found.grants_of(one)]
    if not waiting:
        return None
    return note(
        f"A configured permission is a wish and grants nothing. Until an administrator consents for {tenant}, no "
        f"token holds {', '.join(one.value for one in waiting)}."
    )


# --- Add a permission ------------------------------------------------------------------------------------------------


def show_add(click: Click) -> Page:
    """``add-permission``: which API, then which type, then which permissions."""
    application = subject_of(click, SELECTED)
    resource = read_resource(click, click.query["api"]) if click.query.get("api") else None
    kind = click.query.get("kind", "")
    if resource is None:
        content = _choose_api(click, application)
    elif kind not in KINDS:
        content = _choose_type(click, application, resource)
    else:
        content = _choose_permissions(click, application, resource, kind)
    return _page(click, application, "Request API permissions", content)


def _choose_api(click: Click, application: dict[str, Any]) -> Markup:
    found = click.get("servicePrincipals?$select=id,appId,displayName,appRoles,oauth2PermissionScopes")["value"]
    offering = [one for one in found if one["appRoles"] or one["oauth2PermissionScopes"]]
    offering.sort(key=lambda one: (one["appId"] != GRAPH_APP_ID, one["displayName"]))
    choices = [
        element(
            "li",
            action(one["displayName"], click.link("add-permission", id=application["id"], api=one["appId"])),
        )
        for one in offering
    ]
    return joined(
        element("h2", "Select an API"),
        element("p", "APIs of this tenant that offer permissions. A daemon that reads users needs Microsoft Graph."),
        element("ul", choices, class_="choices"),
        commands(_discard(click, application)),
    )


def _choose_type(click: Click, application: dict[str, Any], resource: dict[str, Any]) -> Markup:
    choices = [
        element(
            "li",
            action(title, click.link("add-permission", id=application["id"], api=resource["appId"], kind=kind)),
            element("small", text),
        )
        for kind, (_, title, text) in KINDS.items()
    ]
    return joined(
        element("h2", resource["displayName"]),
        element("p", "What type of permissions does your application require?"),
        element("ul", choices, class_="choices"),
        commands(_discard(click, application)),
    )


def _choose_permissions(click: Click, application: dict[str, Any], resource: dict[str, Any], kind: str) -> Markup:
    type_, title, _ = KINDS[kind]
    wanted = click.query.get("search", "").strip().lower()
    configured = {one["id"] for one in _wishes_of(application, resource["appId"]) if one["type"] == type_}
    matching = [one for one in all_offered(resource, type_) if wanted in f"{one.value} {one.text}".lower()]
    ticked = set(click.form.all("permission"))
    groups = [
        _group(name, list(members), configured, ticked)
        for name, members in groupby(matching, key=lambda one: one.value.partition(".")[0])
    ]
    kept = {"id": application["id"], "api": resource["appId"], "kind": kind}
    acting = click.query.get("as")
    search = element(
        "form",
        [hidden(name, value) for name, value in kept.items()],
        hidden("as", acting) if acting else None,
        field_of(
            "Start typing a permission to filter these results",
            element("input", type="search", name="search", value=click.query.get("search", "")),
        ),
        button("Filter", class_="quiet"),
        method="get",
        action="add-permission",
        class_="search",
        role="search",
        aria_label="Filter permissions",
    )
    form = post_form(
        click.link("add-permission", **kept, search=click.query.get("search")),
        groups or element("p", f"{resource['displayName']} offers nothing of that name.", class_="empty"),
        commands(button("Add permissions"), _discard(click, application, "Discard")),
    )
    return joined(
        element("h2", f"{resource['displayName']}: {title}"), search, element("h3", "Select permissions"), form
    )


def _group(name: str, members: list[Permission], configured: set[str], ticked: set[str]) -> Markup:
    boxes = [
        element(
            "label",
            element(
                "input",
                type="checkbox",
                name="permission",
                value=one.id,
                checked=one.id in configured or one.id in ticked,
                disabled=one.id in configured,
            ),
            one.value,
            element(
                "small",
                f"{one.text}. Admin consent required: {'Yes' if one.needs_admin else 'No'}."
                + (" Configured already." if one.id in configured else ""),
            ),
            class_="choice",
        )
        for one in members
    ]
    return element("fieldset", element("legend", f"{name} ({len(members)})"), boxes)


def add(click: Click) -> Moved:
    """``add-permission``: all wishes there are and the new ones, because Graph replaces the whole collection."""
    application = subject_of(click, SELECTED)
    app_id, kind = click.query.get("api", ""), click.query.get("kind", "")
    resource = read_resource(click, app_id) if app_id else None
    if resource is None or kind not in KINDS:
        raise Problem(400, "No API or no type was selected.", "Choose the API and the type, then the permissions.")
    type_ = KINDS[kind][0]
    picked = click.form.all("permission")
    known = {one.id for one in all_offered(resource, type_)}
    if not picked:
        raise Problem(400, "No permission is ticked.", "Tick at least one, then press Add permissions.")
    if not known.issuperset(picked):
        raise Problem(400, f"{resource['displayName']} does not offer this permission.", "Choose from the list.")
    wishes = _wishes_of(application, app_id)
    there = {(one["id"], one["type"]) for one in wishes}
    added = [{"id": one, "type": type_} for one in dict.fromkeys(picked) if (one, type_) not in there]
    click.send("PATCH", _path(application), {"requiredResourceAccess": _with(application, app_id, [*wishes, *added])})
    said = f"Successfully saved permissions for {application['displayName']}."
    return click.done(said, "permissions", id=application["id"])


# --- Grant admin consent ---------------------------------------------------------------------------------------------


def show_consent(click: Click) -> Page:
    """``consent``: the question that is asked before everybody is spoken for."""
    application = subject_of(click, SELECTED)
    found = read_permissions(click, application)
    tenant = click.tenant.name
    rows = [(*_described(one), _status(click, one, bool(found.grants_of(one)))) for one in found.configured]
    others: Content = None
    if found.others:
        names = ", ".join(f"{one.permission.value} ({one.permission.type})" for one in found.others)
        others = element(
            "fieldset",
            element("legend", KEEP_OTHERS),
            element("p", names),
            _keep("yes", "Yes, add other granted permissions to configured permissions", checked=True),
            _keep("no", "No, remove other granted permissions", checked=False),
        )
    content = joined(
        element("p", QUESTION.format(tenant=tenant)),
        table("What is asked for", COLUMNS[:-1], rows, "No permission is configured."),
        post_form(
            click.link("consent", id=application["id"]),
            others,
            commands(button("Yes"), action("No", click.link("permissions", id=application["id"]))),
        ),
    )
    return _page(click, application, "Grant admin consent confirmation", content)


def _keep(value: str, text: str, *, checked: bool) -> Markup:
    box = element("input", type="radio", name="others", value=value, checked=checked)
    return element("label", box, text, class_="choice")


def consent(click: Click) -> Moved:
    """``consent``: an assignment for each application permission, one grant for the delegated ones of an API."""
    application = subject_of(click, SELECTED)
    found = read_permissions(click, application)
    if not found.configured and not found.others:
        raise Problem(400, "There is nothing to consent to.", "Add a permission first, then grant admin consent.")
    principal = found.principal
    if principal is None:
        made = {"appId": application["appId"], "tags": [IN_PORTAL_TAG]}
        principal = click.send("POST", "servicePrincipals", made)
    grant(click, found, principal)
    if found.others and click.form.text("others") == "no":
        for one in found.others:
            revoke(click, _as_it_is_now(click, principal, one))
    elif found.others:
        wishes = application["requiredResourceAccess"]
        for one in found.others:
            app_id = one.permission.resource["appId"]
            added = {"id": one.permission.id, "type": one.permission.kind}
            wishes = _with({"requiredResourceAccess": wishes}, app_id, [*_named(wishes, app_id), added])
        click.send("PATCH", _path(application), {"requiredResourceAccess": wishes})
    said = "Successfully granted admin consent for the requested permissions."
    return click.done(said, "permissions", id=application["id"])


def _as_it_is_now(click: Click, principal: dict[str, Any], one: Granted) -> Granted:
    """A grant as the click has left it so far: another scope of the same grant may have gone or come."""
    if one.permission.kind == ROLE:
        return one
    now = click.get(f"oauth2PermissionGrants/{segment(one.object_id)}")
    return Granted(one.permission, one.object_id, tuple(now["scope"].split()))


# --- Remove and revoke -----------------------------------------------------------------------------------------------


def show_remove(click: Click) -> Page:
    """``remove-permission``: the question before a wish is taken off the list."""
    application = subject_of(click, SELECTED)
    permission = _asked(click)
    content = joined(
        element(
            "p", "Remove ", element("b", permission.value), f" ({permission.type}) from the configured permissions?"
        ),
        note(
            "Removing a configured permission does not revoke it. If it was granted, it stays granted until it is "
            "revoked."
        ),
        post_form(
            _here(click, "remove-permission"),
            commands(
                button("Yes, remove", class_="grave"), action("No", click.link("permissions", id=application["id"]))
            ),
        ),
    )
    return _page(click, application, "Remove permission", content)


def remove(click: Click) -> Moved:
    """``remove-permission``: the wish is gone, what was granted stays."""
    application = subject_of(click, SELECTED)
    permission = _asked(click)
    app_id = permission.resource["appId"]
    wishes = _wishes_of(application, app_id)
    left = [one for one in wishes if (one["id"], one["type"]) != (permission.id, permission.kind)]
    if left == wishes:
        raise _stale()
    click.send("PATCH", _path(application), {"requiredResourceAccess": _with(application, app_id, left)})
    saved = f"Successfully saved permissions for {application['displayName']}."
    said = f"{saved} {permission.value} is not configured any more."
    return click.done(said, "permissions", id=application["id"])


def show_revoke(click: Click) -> Page:
    """``revoke``: the question before a permission is taken away."""
    application = subject_of(click, SELECTED)
    permission = _asked(click)
    content = joined(
        element("p", "Revoke admin consent for ", element("b", permission.value), f" ({permission.type})?"),
        note("The next token is without it. A token that was given out before keeps it until it expires."),
        post_form(
            _here(click, "revoke"),
            commands(
                button("Yes, revoke", class_="grave"), action("No", click.link("permissions", id=application["id"]))
            ),
        ),
    )
    return _page(click, application, "Revoke admin consent", content)


def revoke_consent(click: Click) -> Moved:
    """``revoke``: the assignment, or the scope of the grant, is gone."""
    application = subject_of(click, SELECTED)
    permission = _asked(click)
    granted = read_permissions(click, application).grants_of(permission)
    if not granted:
        raise _stale()
    revoke(click, granted[0])
    said = f"Revoked admin consent for {permission.value}."
    return click.done(said, "permissions", id=application["id"])


def _asked(click: Click) -> Permission:
    """The permission that an address names."""
    resource = read_resource(click, click.query["api"]) if click.query.get("api") else None
    kind = click.query.get("kind", "")
    if resource is None or kind not in (ROLE, SCOPE):
        raise _stale()
    return offered(resource, kind, click.query.get("permission", ""))


def _stale() -> Problem:
    return Problem(
        409,
        "This permission is not there any more. The page you came from is older than the last change.",
        "Go to API permissions to see what is there now.",
        heading="Stale page",
    )


# --- shared ----------------------------------------------------------------------------------------------------------


def _here(click: Click, page: str) -> str:
    kept = {name: click.query.get(name) for name in ("id", "api", "kind", "permission")}
    return click.link(page, **kept)


def _wishes_of(application: dict[str, Any], app_id: str) -> list[dict[str, Any]]:
    return _named(application["requiredResourceAccess"], app_id)


def _named(wishes: list[dict[str, Any]], app_id: str) -> list[dict[str, Any]]:
    return [one for wish in wishes if wish["resourceAppId"] == app_id for one in wish["resourceAccess"]]


def _with(application: dict[str, Any], app_id: str, access: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All wishes, those for one API replaced."""
    others = [wish for wish in application["requiredResourceAccess"] if wish["resourceAppId"] != app_id]
    mine = [{"resourceAppId": app_id, "resourceAccess": access}] if access else []
    return [*others, *mine]


def _path(application: dict[str, Any]) -> str:
    return f"applications/{segment(application['id'])}"


def _discard(click: Click, application: dict[str, Any], text: str = "Cancel") -> Markup:
    return action(text, click.link("permissions", id=application["id"]))


def _page(click: Click, application: dict[str, Any], title: str, content: Content, *, below: bool = True) -> Page:
    trail = trail_of(click, application)
    if below:
        trail.append(("API permissions", click.link("permissions", id=application["id"])))
    return Page(title, content, menu=APP_MENU, opened="permissions", subject=application["displayName"], trail=trail)
