"""App registrations: the list, the basket of deleted ones, and New registration.

Labels and order are those of Microsoft's admin center. Texts of mistakes, the columns of the list and two names of
account types on the overview are chosen, not sourced.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ..directory.tenant import KEPT_AFTER_DELETION
from ..directory.well_known import GRAPH_APP_ID
from ..graph.applications import LONGEST_NAME
from .click import Click, Gone, Moved, Problem, Refused, literal, segment
from .html import Content, Markup, element
from .layout import Page, action, button, commands, day, field_of, guid, hidden, joined, note, post_form, table, tabs

IN_PORTAL_TAG = "WindowsAzureActiveDirectoryIntegratedApp"  # what the portal marks a service principal with
USER_READ = "e1fe6dd8-ba31-4d61-89e7-88639da4683d"  # the delegated permission every registration of the portal has
MOST_SHOWN = 100
SELECTED = "$select=id,appId,displayName,createdDateTime,keyCredentials,passwordCredentials"

AUDIENCES = (
    ("AzureADMyOrg", "Single tenant only - {tenant}", "My organization only"),
    ("AzureADMultipleOrgs", "Multiple Entra ID tenants", "Multiple organizations"),
    (
        "AzureADandPersonalMicrosoftAccount",
        "Any Entra ID Tenant + Personal Microsoft accounts",
        "All Microsoft account users",
    ),
    ("PersonalMicrosoftAccount", "Personal accounts only", "Personal Microsoft account users"),
)


# --- the list ------------------------------------------------------------------------------------------------------


def show_list(click: Click) -> Page:
    """``apps``: all registrations, or the deleted ones."""
    deleted = click.query.get("tab") == "deleted"
    choices = tabs(
        click,
        "Which registrations",
        [("", "All applications", "apps"), ("deleted", "Deleted applications", "apps")],
    )
    return Page("App registrations", joined(choices, _deleted(click) if deleted else _all(click)))


def _all(click: Click) -> Markup:
    wanted = click.query.get("search", "").strip()
    path = f"applications?{SELECTED}&$top={MOST_SHOWN}"
    if wanted:
        path += f"&$filter=startswith(displayName,{literal(wanted)}) or appId eq {literal(wanted)}".replace(" ", "%20")
    found = click.get(path)
    now = click.tenant.now()
    rows = [
        (
            element("a", one["displayName"], href=click.link("app", id=one["id"])),
            one["appId"],
            day(one["createdDateTime"]),
            state_of_credentials(one, now),
        )
        for one in found["value"]
    ]
    none = f"No registration begins with “{wanted}”." if wanted else "No app has been registered yet."
    return joined(
        commands(action("New registration", click.link("new"), main=True)),
        search_form(click, "apps", "Start of a display name, or an application (client) ID", wanted),
        table(
            "Registrations of this tenant",
            ("Display name", "#Application (client) ID", "Created on", "Certificates & secrets"),
            rows,
            none,
        ),
        note(f"These are the first {MOST_SHOWN}. Search for the others.") if "@odata.nextLink" in found else None,
    )


def search_form(click: Click, page: str, label: str, wanted: str, **kept: str) -> Markup:
    """A box that filters a list."""
    acting = click.query.get("as")
    return element(
        "form",
        [hidden(name, value) for name, value in kept.items()],
        hidden("as", acting) if acting else None,
        field_of(label, element("input", type="search", name="search", value=wanted)),
        button("Search", class_="quiet"),
        method="get",
        action=page,
        class_="search",
        role="search",
        aria_label=label,
    )


def state_of_credentials(application: dict[str, Any], now: float) -> Markup:
    """Whether an app has something to prove itself with, in words."""
    ends = [
        datetime.fromisoformat(one["endDateTime"]).timestamp()
        for one in (*application["keyCredentials"], *application["passwordCredentials"])
    ]
    if not ends:
        return element("span", "None", class_="state no")
    if max(ends) <= now:
        return element("span", "Expired", class_="state over")
    return element("span", "Current", class_="state yes")


# --- the basket ------------------------------------------------------------------------------------------------------


def _deleted(click: Click) -> Markup:
    found = click.get("directory/deletedItems/microsoft.graph.application")["value"]
    rows = [
        (
            one["displayName"],
            one["appId"],
            day(one["deletedDateTime"]),
            _last_day(one["deletedDateTime"]),
            commands(
                post_form(
                    click.link("restore", id=one["id"]),
                    button(
                        "Restore app registration",
                        class_="quiet",
                        aria_label=f"Restore app registration {one['displayName']}",
                    ),
                ),
                element(
                    "a",
                    "Delete permanently",
                    class_="action",
                    href=click.link("purge", id=one["id"]),
                    aria_label=f"Delete permanently {one['displayName']}",
                ),
            ),
        )
        for one in found
    ]
    return joined(
        element("p", "What was deleted waits here for 30 days and can be restored. Then it is gone for good."),
        table(
            "Deleted registrations",
            ("Display name", "#Application (client) ID", "Deleted on", "Gone for good on", "What to do"),
            rows,
            "Nothing was deleted in the last 30 days.",
        ),
    )


def _last_day(deleted: str) -> Markup:
    return day((datetime.fromisoformat(deleted) + timedelta(seconds=KEPT_AFTER_DELETION)).isoformat())


def restore(click: Click) -> Moved:
    """``restore``: out of the basket, with its service principal."""
    if not click.object_id:
        raise Gone("deleted app registration")
    try:
        item = click.send("POST", f"directory/deletedItems/{segment(click.object_id)}/restore")
    except Refused as refused:
        raise _not_in_basket(refused) from None
    return click.done(f"Restored app registration {item['displayName']}.", "app", id=item["id"])


def show_purge(click: Click) -> Page:
    """``purge``: the question before something is gone for good."""
    item = _in_basket(click)
    return Page(
        "Delete permanently",
        joined(
            element("p", "Delete ", element("b", item["displayName"]), " permanently? ", guid(item["appId"])),
            note(
                "This cannot be undone. Nobody can restore the registration afterwards, no administrator and not "
                "Microsoft. An app that is registered anew has another client ID."
            ),
            post_form(
                click.link("purge", id=item["id"]),
                commands(button("Yes", class_="grave"), action("No", click.link("apps", tab="deleted"))),
            ),
        ),
        trail=[("App registrations", click.link("apps")), ("Deleted applications", click.link("apps", tab="deleted"))],
    )


def purge(click: Click) -> Moved:
    """``purge``: gone for good."""
    item = _in_basket(click)
    click.send("DELETE", f"directory/deletedItems/{segment(item['id'])}")
    return click.done(f"{item['displayName']} is deleted permanently.", "apps", tab="deleted")


def _in_basket(click: Click) -> dict[str, Any]:
    item: dict[str, Any] | None = None
    if click.object_id:
        item = click.find(f"directory/deletedItems/{segment(click.object_id)}")
    if item is None:
        raise Gone("deleted app registration")
    return item


def _not_in_basket(refused: Refused) -> Exception:
    return Gone("deleted app registration") if refused.status == 404 else refused


# --- New registration ------------------------------------------------------------------------------------------------


def show_new(click: Click) -> Page:
    """``new``: Register an application."""
    picked = click.form.text("audience") or AUDIENCES[0][0]
    options = [
        element("option", text.format(tenant=click.tenant.name), value=value, selected=value == picked)
        for value, text, _ in AUDIENCES
    ]
    form = post_form(
        click.link("new"),
        field_of(
            "Name *",
            element(
                "input",
                type="text",
                name="name",
                value=click.form.fields.get("name", ""),
                required=True,
                autocomplete="off",
            ),
            "The user-facing display name for this application (this can be changed later).",
        ),
        field_of(
            "Supported account types",
            element("select", options, name="audience"),
            "Who can use this application or access this API? A daemon takes the first.",
        ),
        field_of(
            "Redirect URI (optional)",
            element(
                "input", type="text", name="redirect", value=click.form.fields.get("redirect", ""), autocomplete="off"
            ),
            "Where a web app gets its answers after a person has signed in. A daemon leaves it empty.",
        ),
        commands(button("Register"), action("Cancel", click.link("apps"))),
        novalidate=True,
    )
    return Page("Register an application", form, trail=[("App registrations", click.link("apps"))])


def register(click: Click) -> Moved:
    """``new``: an application, its service principal with the portal's tag, and User.Read among the wishes."""
    form = click.form
    name, audience, redirect = form.text("name"), form.text("audience") or AUDIENCES[0][0], form.text("redirect")
    if not name:
        raise Problem(400, "The name is missing.", "Type a name for the app, then press Register.")
    if len(name) > LONGEST_NAME:
        raise Problem(
            400,
            f"The name has {len(name)} characters, and at most {LONGEST_NAME} are taken.",
            "Shorten it, then press Register.",
        )
    wishes = [{"resourceAppId": GRAPH_APP_ID, "resourceAccess": [{"id": USER_READ, "type": "Scope"}]}]
    body: dict[str, Any] = {"displayName": name, "signInAudience": audience, "requiredResourceAccess": wishes}
    if redirect:
        body["web"] = {"redirectUris": [redirect]}
    application = click.send("POST", "applications", body)
    click.send("POST", "servicePrincipals", {"appId": application["appId"], "tags": [IN_PORTAL_TAG]})
    return click.done(f"The application registration {name} was created.", "app", id=application["id"])


def audience_in_words(value: str) -> str:
    """An account type as the overview calls it."""
    return next((words for name, _, words in AUDIENCES if name == value), value)


def trail_of(click: Click, application: dict[str, Any]) -> list[tuple[str, str]]:
    """The way to a page below an app."""
    overview = click.link("app", id=application["id"])
    return [("App registrations", click.link("apps")), (application["displayName"], overview)]


def subject_of(click: Click, select: str) -> dict[str, Any]:
    """The application a page is about. Raises `Gone` when there is none with this id."""
    path = f"applications/{segment(click.object_id)}?$select={select}"
    found: dict[str, Any] | None = click.find(path) if click.object_id else None
    if found is None:
        raise Gone("app registration")
    return found


def gone_page(click: Click, what: str) -> Page:
    """The page for an id that leads nowhere; a deleted registration is named, and the way back shown."""
    item = click.find(f"directory/deletedItems/{segment(click.object_id)}") if click.object_id else None
    if item is not None and what == "app registration":
        content: Content = joined(
            element(
                "p",
                "The app registration ",
                element("b", item["displayName"]),
                " was deleted on ",
                day(item["deletedDateTime"]),
                ". It can be restored until ",
                _last_day(item["deletedDateTime"]),
                ".",
            ),
            commands(action("Go to Deleted applications", click.link("apps", tab="deleted"))),
        )
        return Page("This app registration was deleted", content, status=404)
    return Page(
        "There is nothing here",
        joined(
            element(
                "p",
                f"This tenant has no {what} with this id. Perhaps it was deleted permanently, or the practice tenant "
                "was started anew: then nothing of before is left.",
            ),
            commands(action("Go to App registrations", click.link("apps"))),
        ),
        status=404,
    )
