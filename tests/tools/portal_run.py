"""Clicks through the practice portal in a real browser, as a learner does, and lets axe-core look at every page.

    python tests/tools/portal_run.py --axe FILE [--proxy] [--chromium FILE] [--screenshots FOLDER] [name ...]

Four walks: an app registered with the mouse and used by MSAL; the same with the keyboard alone; every part of "Act as";
and, with --proxy, the first pages behind jupyter-server-proxy, which must be importable. axe-core, whose axe.min.js is
named by --axe, looks for what a screen reader trips over, in the light and in the dark look.
"""

import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / folder) for folder in ("support", "chapters", "tools")]
sys.path.insert(0, str(TESTS.parent / "notebooks"))

import forge
import msal
from browser_run import CHROMIUM_FLAGS, START_SECONDS, TOKEN, free_port, wait_for
from chapters import ROOT
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from playwright.sync_api import Browser, Page, expect, sync_playwright
from practice import GRAPH_SCOPE, Running, running

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MOST_TABS = 60  # so many presses of Tab must lead to anything on a page


@dataclass
class Walk:
    """One way through the portal in one browser window.

    Args:
        page: the window.
        axe: the source of axe-core.
        screenshots: where a picture of every page goes, if anywhere.
    """

    page: Page
    axe: str
    screenshots: Path | None
    name: str
    problems: list[str] = field(default_factory=list)
    pictures: int = 0

    def look(self, what: str) -> None:
        """Let axe-core look at the page, light and dark, and take its picture."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            found = self.page.evaluate(f"async () => {{ {self.axe}; return await axe.run(document, {_options()}); }}")
            for violation in found["violations"]:
                where = violation["nodes"][0]["html"][:150]
                self.problems.append(f"{self.name}, {what}, {scheme}: {violation['id']}: {where}")
        self.page.emulate_media(color_scheme="light")
        if self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            self.problems.append(f"{self.name}, {what}: the page is wider than its window")
        self.photograph(what)

    def photograph(self, what: str) -> None:
        """Store a picture of the whole page."""
        self.pictures += 1
        if self.screenshots:
            file = self.screenshots / f"{self.name}-{self.pictures:02d}-{what.replace(' ', '-')}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=file, full_page=True)

    def click(self, text: str) -> None:
        """Press the button, or follow the link, with this text."""
        self.page.get_by_role("button", name=text, exact=True).or_(
            self.page.get_by_role("link", name=text, exact=True)
        ).first.click()

    def says(self, text: str, role: str = "status") -> None:
        """The page must say this in its message."""
        expect(self.page.get_by_role(role)).to_contain_text(text)


def _options() -> str:
    return "{runOnly: " + str(RULES) + "}"


def axe_source(parser: argparse.ArgumentParser, path: Path) -> str:
    """axe-core's program text; a file that cannot be read ends the program with one line."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        parser.error(f"{path} cannot be read ({error.strerror}): install axe-core with npm, as .ci/run does")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help="part of a walk's name, for example keyboard")
    parser.add_argument(
        "--axe", type=Path, required=True, metavar="FILE", help="axe.min.js of the npm package axe-core"
    )
    parser.add_argument("--proxy", action="store_true", help="walk behind jupyter-server-proxy as well")
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="the browser's program file")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER", help="where pictures of the pages go")
    options = parser.parse_args(arguments)
    if not options.chromium:
        parser.error("Chromium is not installed: install it, or name its program file with --chromium")
    axe = axe_source(parser, options.axe)
    walks: list[Callable[[Walk, Running, Path], None]] = [with_the_mouse, with_the_keyboard, acting_as_others]
    if options.proxy:
        walks.append(behind_a_proxy)
    wanted = [way for way in walks if not options.names or any(name in way.__name__ for name in options.names)]
    problems = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=CHROMIUM_FLAGS)
        for walk in wanted:
            problems += walked(browser, walk, axe, options.screenshots)
        browser.close()
    return 1 if problems else 0


def walked(browser: Browser, way: Callable, axe: str, screenshots: Path | None) -> list[str]:
    """Walk one way in a tenant of its own, print one line about it, and give what is wrong."""
    began = time.monotonic()
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(10_000)
    walk = Walk(page, axe, screenshots, way.__name__)
    page.on("pageerror", lambda error: walk.problems.append(f"{walk.name}: script error {error}"))
    page.on("console", lambda said: walk.problems.append(f"{walk.name}: {said.text}") if _is_bad(said) else None)
    with running("--portal") as tenant, tempfile.TemporaryDirectory(prefix="portal-run-") as folder:
        way(walk, tenant, Path(folder))
    page.close()
    name = walk.name.replace("_", " ")
    print(f"portal {name}: {walk.pictures} pages, {time.monotonic() - began:.0f} s", *walk.problems, sep="\n  ")
    return walk.problems


def _is_bad(said) -> bool:
    """A refusal is a page with a status of 400 and more, which Chromium tells on its console: that is no problem."""
    return said.type == "error" and "Failed to load resource" not in said.text


# --- the walks -------------------------------------------------------------------------------------------------------


def with_the_mouse(walk: Walk, tenant: Running, folder: Path) -> None:
    """From New registration to a purge, with the mistakes people make, and MSAL in between."""
    certificate = forge.certificate()
    walk.page.goto(tenant.facts["portal_url"])
    walk.look("app registrations")
    client_id = register(walk)
    upload(walk, folder, certificate)
    walk.click("API permissions")
    walk.look("permissions")
    add_permission(walk)
    walk.look("permission added")
    assert token_of(tenant, client_id, certificate).get("roles", []) == []
    consent(walk)
    assert token_of(tenant, client_id, certificate)["roles"] == ["User.Read.All"]
    remove_and_revoke(walk)
    switch_off(walk)
    secret(walk)
    delete(walk)
    device_code(walk, tenant)


def with_the_keyboard(walk: Walk, tenant: Running, folder: Path) -> None:
    """The whole registration without a mouse: Tab, Shift+Tab, Space, Enter and letters."""
    page, certificate = walk.page, forge.certificate()
    # Playwright tells the browser to hand over its file choosers when the first listener comes, and does not wait for
    # the answer. A listener that came together with the key press lost that race now and then.
    page.on("filechooser", lambda chooser: None)
    page.goto(tenant.facts["portal_url"])
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the page"
    walk.photograph("skip link")
    enter(page, "New registration")
    type_into(page, "Name *", "Keyboard daemon")
    enter(page, "Register")
    walk.says("Keyboard daemon was created")
    client_id = client_id_on(page)
    enter(page, "Certificates & secrets")
    enter(page, "Upload certificate")
    tab_to(page, "Upload a certificate (public key)")
    walk.photograph("focus on the file")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(certificate_file(folder, certificate))
    enter(page, "Add")
    walk.says("Successfully updated application")
    enter(page, "API permissions")
    enter(page, "Add a permission")
    enter(page, "Microsoft Graph")
    enter(page, "Application permissions")
    tab_to(page, "User.Read.All")
    page.keyboard.press("Space")
    enter(page, "Add permissions")
    enter(page, "Grant admin consent for Contoso Practice")
    enter(page, "Yes")
    walk.says("Successfully granted admin consent")
    walk.look("consent by keyboard")
    assert token_of(tenant, client_id, certificate)["roles"] == ["User.Read.All"]


def acting_as_others(walk: Walk, tenant: Running, folder: Path) -> None:
    """What each may do, and that the page says why not; on a narrow screen too."""
    page = walk.page
    page.goto(tenant.facts["portal_url"])
    act_as(walk, "Developer without a role")
    walk.click("New registration")
    page.get_by_label("Name *").fill("Developer's daemon")
    walk.click("Register")
    walk.click("API permissions")
    add_permission(walk)
    button = page.get_by_role("button", name="Grant admin consent for Contoso Practice")
    expect(button).to_be_disabled()
    expect(button).to_have_accessible_description(re.compile("has no directory role that may consent"))
    walk.look("developer")
    act_as(walk, "Cloud Application Administrator")
    walk.click("Grant admin consent for Contoso Practice")
    walk.click("Yes")
    walk.says("Access denied", "alert")
    walk.look("cloud application administrator")
    act_as(walk, "Privileged Role Administrator")
    walk.click("Yes")
    walk.says("Successfully granted admin consent")
    page.set_viewport_size({"width": 390, "height": 800})
    walk.look("narrow")
    page.goto(tenant.facts["portal_url"] + "apps?as=developer")
    walk.click("daemon-console")
    walk.look("narrow overview")
    walk.click("Certificates & secrets")
    walk.look("narrow credentials")


def behind_a_proxy(walk: Walk, tenant: Running, folder: Path) -> None:
    """Links, forms, uploads and redirects at ``…/proxy/PORT/KEY/`` of a Jupyter server."""
    address = tenant.facts["portal_url"].removeprefix("http://127.0.0.1:")
    page, certificate = walk.page, forge.certificate()
    with jupyter_server(folder) as server:
        page.goto(f"{server}/proxy/{address}?token={TOKEN}")
        walk.click("New registration")
        page.get_by_label("Name *").fill("Proxied daemon")
        walk.click("Register")
        walk.says("Proxied daemon was created")
        client_id = client_id_on(page)
        walk.click("Certificates & secrets")
        walk.click("Upload certificate")
        page.get_by_label("Upload a certificate").set_input_files(certificate_file(folder, certificate))
        walk.click("Add")
        walk.says("Successfully updated application")
        assert page.url.startswith(f"{server}/proxy/{address}"), page.url
        walk.look("uploaded")
        assert token_of(tenant, client_id, certificate)["appid"] == client_id


# --- steps -----------------------------------------------------------------------------------------------------------


def register(walk: Walk) -> str:
    """New registration, first without a name; gives the client id."""
    walk.click("New registration")
    walk.look("new registration")
    walk.click("Register")
    walk.says("The name is missing", "alert")
    walk.look("no name")
    walk.page.get_by_label("Name *").fill("Nightly user report")
    walk.click("Register")
    walk.says("Nightly user report was created")
    walk.look("overview")
    return client_id_on(walk.page)


def upload(walk: Walk, folder: Path, certificate) -> None:
    """Upload certificate, first with the private key."""
    walk.click("Certificates & secrets")
    walk.look("certificates")
    walk.click("Upload certificate")
    walk.look("upload")
    walk.page.get_by_label("Upload a certificate").set_input_files(key_file(folder))
    walk.click("Add")
    walk.says("This file holds a private key", "alert")
    walk.look("private key")
    walk.page.get_by_label("Upload a certificate").set_input_files(certificate_file(folder, certificate))
    walk.page.get_by_label("Description").fill("laptop")
    walk.click("Add")
    walk.says(certificate.fingerprint(forge.hashes.SHA1()).hex().upper())
    walk.look("uploaded")


def consent(walk: Walk) -> None:
    """Grant admin consent."""
    walk.click("Grant admin consent for Contoso Practice")
    walk.look("consent question")
    walk.click("Yes")
    walk.says("Successfully granted admin consent")
    walk.look("consent granted")


def remove_and_revoke(walk: Walk) -> None:
    """A permission that is not configured any more stays granted, comes back, and is revoked."""
    walk.page.get_by_role("link", name="Remove permission: User.Read.All").click()
    walk.look("remove permission")
    walk.click("Yes, remove")
    walk.look("other permissions")
    walk.click("Grant admin consent for Contoso Practice")
    walk.look("keep others")
    walk.click("Yes")
    walk.page.get_by_role("link", name="Revoke admin consent: User.Read.All").click()
    walk.look("revoke")
    walk.click("Yes, revoke")
    walk.says("Revoked admin consent for User.Read.All")


def switch_off(walk: Walk) -> None:
    """The enterprise app: its switch, its permissions, and the lists."""
    walk.page.get_by_role("navigation", name="Portal").get_by_role("link", name="Overview").click()
    walk.page.get_by_role("definition").get_by_role("link", name="Nightly user report").click()
    walk.look("enterprise app")
    walk.page.get_by_role("group", name="Enabled for users to sign-in?").get_by_label("No").check()
    walk.click("Save")
    walk.says("Successfully updated")
    walk.click("Permissions")
    walk.look("granted permissions")
    walk.click("Enterprise apps")
    walk.look("enterprise apps")
    walk.click("All Applications")
    walk.look("all enterprise apps")


def delete(walk: Walk) -> None:
    """Delete, think twice about Delete permanently, restore; and a page of something that never was."""
    page = walk.page
    walk.click("App registrations")
    walk.click("Nightly user report")
    walk.click("Delete")
    walk.look("delete")
    page.get_by_label("I understand the implications").check()
    walk.click("Delete")
    walk.says("Successfully deleted application")
    walk.look("deleted")
    page.get_by_role("link", name="Delete permanently Nightly user report").click()
    walk.look("purge")
    walk.click("No")
    walk.click("Restore app registration Nightly user report")
    walk.says("Restored app registration")
    page.goto(page.url.partition("?")[0] + "?id=5a1e1b34-9d0c-4c0b-8f77-0f6d6f0c4b11")
    walk.look("nothing here")


def add_permission(walk: Walk) -> None:
    """From API permissions to User.Read.All as an application permission."""
    walk.click("Add a permission")
    walk.look("which API")
    walk.click("Microsoft Graph")
    walk.look("which type")
    walk.click("Application permissions")
    walk.look("which permissions")
    walk.page.get_by_role("checkbox", name=re.compile(r"^User\.Read\.All ?")).check()
    walk.click("Add permissions")
    walk.says("Successfully saved permissions")


def secret(walk: Walk) -> None:
    """A client secret, whose value is seen once."""
    walk.click("App registrations")
    walk.click("Nightly user report")
    walk.click("Certificates & secrets")
    walk.page.get_by_role("navigation", name="Kinds of credentials").get_by_role("link", name="Client secrets").click()
    walk.click("New client secret")
    walk.look("new secret")
    walk.page.get_by_label("Description").fill("for the old script")
    walk.click("Add")
    walk.look("secret")


def device_code(walk: Walk, tenant: Running) -> None:
    """A program asks for a code; a person types it at ``verification_uri``, without any warning of the browser."""
    app = msal.PublicClientApplication(
        "14d82eec-204b-4c2f-b7e8-296a70dab67e",
        authority=tenant.facts["authority"],
        http_client=tenant.session,
        instance_discovery=False,
    )
    flow = app.initiate_device_flow(["User.Read.All"])
    walk.page.goto(flow["verification_uri"])
    walk.look("device code")
    walk.page.get_by_label("The code your program shows").fill(flow["user_code"])
    walk.click("Next")
    walk.look("device question")
    walk.click("Continue")
    walk.look("device done")
    flow["latest_attempt_at"] = 0  # so that MSAL does not wait for its interval
    assert "access_token" in app.acquire_token_by_device_flow(flow)


def act_as(walk: Walk, title: str) -> None:
    """Become somebody else."""
    box = walk.page.get_by_role("combobox", name="Act as")
    options = box.locator("option").all_text_contents()
    box.select_option(label=next(one for one in options if one.startswith(title)))
    walk.click("Switch")


def client_id_on(page: Page) -> str:
    """The client id that the overview shows."""
    term = page.get_by_role("term").filter(has_text="Application (client) ID")
    return term.locator("xpath=following-sibling::dd").inner_text()


def certificate_file(folder: Path, certificate) -> Path:
    """The certificate as a file a person would choose."""
    path = folder / "server.crt"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    return path


def key_file(folder: Path) -> Path:
    """The private key under the name people upload it by mistake."""
    path = folder / "server.pem"
    path.write_bytes(forge.private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def token_of(tenant: Running, client_id: str, certificate) -> dict:
    """The claims of a token that the real MSAL gets with the certificate; Graph must take it when it has the role."""
    key = forge.private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    app = msal.ConfidentialClientApplication(
        client_id,
        authority=tenant.facts["authority"],
        http_client=tenant.session,
        instance_discovery=False,
        client_credential={
            "private_key": key.decode(),
            "public_certificate": certificate.public_bytes(Encoding.PEM).decode(),
        },
    )
    token = app.acquire_token_for_client([GRAPH_SCOPE])["access_token"]
    claims = forge.decoded(token)[1]
    users = tenant.session.get(
        tenant.facts["graph_endpoint"] + "/users?$top=1", headers={"Authorization": f"Bearer {token}"}, timeout=10
    )
    assert users.status_code == (200 if "roles" in claims else 403)
    return claims


# --- the keyboard ----------------------------------------------------------------------------------------------------


def focused(page: Page) -> str:
    """The text of what has the focus: of a field its label's."""
    return page.evaluate(
        "() => { const one = document.activeElement;"
        " return (one.labels?.[0]?.innerText || one.innerText || one.ariaLabel || '').trim(); }"
    )


def tab_to(page: Page, text: str) -> None:
    """Press Tab until something whose text begins like this has the focus."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if focused(page).startswith(text):
            return
    raise AssertionError(f"{MOST_TABS} presses of Tab do not lead to {text!r} on {page.title()}")


def enter(page: Page, text: str) -> None:
    """Go to a link or a button and press Enter."""
    tab_to(page, text)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def type_into(page: Page, label: str, text: str) -> None:
    """Go to a field and type."""
    tab_to(page, label)
    page.keyboard.type(text)


# --- the Jupyter server ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def jupyter_server(folder: Path) -> Iterator[str]:
    """A Jupyter server with jupyter-server-proxy, and its address."""
    port = free_port()
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", f"--port={port}", "--ServerApp.port_retries=0",
               f"--IdentityProvider.token={TOKEN}", "--ServerApp.jpserver_extensions={'jupyter_server_proxy': True}",
               f"--ServerApp.root_dir={folder}", "--allow-root"]  # fmt: skip
    places = {name: str(folder / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    with (folder / "jupyter.log").open("w+", encoding="utf-8") as log:
        server = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | places, stdout=log, stderr=subprocess.STDOUT, encoding="utf-8"
        )
        try:
            wait_for(server, f"http://127.0.0.1:{port}/api/status?token={TOKEN}", log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=START_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
