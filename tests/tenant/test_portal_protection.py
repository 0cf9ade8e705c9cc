"""How the practice portal protects itself: the key, foreign pages, hostile bodies; and the real process with MSAL."""

import re
import socket
import tempfile
from contextlib import closing
from urllib.parse import quote, urlencode

import forge
import msal
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hunt import HUNT, LETTERS
from hypothesis import given
from hypothesis import strategies as st
from practice import GRAPH_SCOPE, PATIENCE, fresh, running
from practice_tenant.directory.well_known import GRAPH_APP_ID, GRAPH_APP_ROLES
from practice_tenant.messages import FORM, Request
from practice_tenant.portal.door import PAGES, is_loopback
from practice_tenant.portal.form import read_form
from test_portal_pages import Browser, multipart, pem, said, text_of

TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"  # Microsoft Graph Command Line Tools


@pytest.fixture
def browser():
    return Browser()


@pytest.fixture(scope="module")
def started():
    """One process with the portal."""
    with running("--portal") as tenant:
        yield tenant


@pytest.fixture
def portal(started):
    """The same process, as it was at the start."""
    started.control("reset")
    return started


def outside(browser: Browser, target: str, method: str = "GET", body: bytes = b"", **headers: str):
    """A request to any address of the portal's port."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return browser.practice.emulator.answer_portal(Request(method, target, named, body, "http://127.0.0.1:1")).answer


# --- the key ---------------------------------------------------------------------------------------------------------


def test_the_key_is_22_characters_and_another_one_every_time(browser, portal):
    keys = {Browser(practice=fresh()).practice.state.portal_key, browser.practice.state.portal_key}
    assert all(re.fullmatch(r"[\w-]{22}", key) for key in keys)
    with running("--portal") as another:
        assert len({run.facts["portal_url"].split("/")[3] for run in (portal, another)}) == 2


@pytest.mark.parametrize("folder", ["", "guess", "é", "%00", "..", "KEY*2", "key"])
def test_without_the_key_there_is_nothing(browser, folder):
    key = browser.practice.state.portal_key
    guessed = {"KEY*2": key * 2, "key": key.swapcase()}.get(folder, folder)
    for name in ("", *PAGES):
        if (guessed, name) == ("", "device"):
            continue  # the page of `verification_uri`, which has a key of its own in its form
        for method in ("GET", "POST"):
            answer = outside(browser, f"/{guessed}/{name}", method)
            assert answer.status == 404
            assert key.encode() not in answer.body
            assert b"daemon-console" not in answer.body


def test_the_folder_leads_to_its_first_page(browser):
    key = browser.practice.state.portal_key
    for target, place in ((f"/{key}", f"{key}/apps"), (f"/{key}/", "apps")):
        answer = outside(browser, target)
        assert (answer.status, answer.headers["Location"]) == (303, place)


def test_neither_the_requests_nor_the_log_nor_a_page_tells_the_key(browser):
    for name in PAGES:
        page = browser.get(name)
        assert browser.practice.state.portal_key.encode() not in page.body
    assert browser.practice.state.portal_key not in repr(browser.practice.state)
    assert browser.practice.state.portal_key.encode() not in browser.practice.control("requests", method="GET").body


# --- other pages -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "CROSS-SITE", "", "nonsense"])
def test_a_form_of_another_page_is_refused(browser, site):
    before = dict(browser.practice.tenant.applications)
    address = f"/{browser.practice.state.portal_key}/new"
    answer = outside(browser, address, "POST", b"name=forged", content_type=FORM, sec_fetch_site=site)
    assert answer.status == 403
    assert browser.practice.tenant.applications == before
    device = outside(browser, "/device", "POST", b"user_code=A", content_type=FORM, sec_fetch_site=site)
    assert device.status == 403


@pytest.mark.parametrize("headers", [{}, {"sec_fetch_site": "same-origin"}, {"origin": "https://hub.example"}])
def test_a_form_of_our_own_is_taken_whatever_a_proxy_makes_of_origin(browser, headers):
    address = f"/{browser.practice.state.portal_key}/new"
    assert outside(browser, address, "POST", b"name=mine", content_type=FORM, **headers).status == 303


def test_every_answer_forbids_scripts_foreign_frames_and_guessing(browser):
    key = browser.practice.state.portal_key
    answers = [outside(browser, target) for target in ("/", "/device", f"/{key}/apps", f"/{key}/nothing", f"/{key}/")]
    answers.append(outside(browser, f"/{key}/apps", "DELETE"))
    answers.append(outside(browser, f"/{key}/apps", "POST"))
    for answer in answers:
        assert answer.headers["Content-Security-Policy"] == (
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'self' http://127.0.0.1:* http://localhost:*"
        )
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert b"<script" not in answer.body
        assert not re.search(rb"""(?:src|href)=["']?(?:https?:)?//""", answer.body)


def test_other_methods_are_refused(browser):
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
        assert outside(browser, f"/{browser.practice.state.portal_key}/apps", method).status == 405
    assert browser.request("HEAD", "apps").status == 200


@pytest.mark.parametrize(
    ("host", "good"),
    [
        ("127.0.0.1:8765", True), ("localhost:8888", True), ("LOCALHOST", True), ("[::1]:80", True),
        ("evil.example", False), ("127.0.0.1.evil.example:8765", False), ("localhost.evil.example", False),
        ("evil.example#127.0.0.1", False), ("user@evil.example", False), ("", False), ("[", False),
        ("127.0.0.2", False),
    ],
)  # fmt: skip
def test_loopback_is_known_by_its_names(host, good):
    assert is_loopback(host) is good


# --- hostile bodies --------------------------------------------------------------------------------------------------


def test_a_click_takes_no_more_than_a_page_asks_for(browser):
    object_id = browser.register()
    assert browser.get("apps", **{f"field{n}": "x" for n in range(100)}).status == 200
    assert browser.add(object_id, *(["x"] * 2_000)).status == 400
    huge = browser.post("new", {"name": "n" * 1_000_000})
    assert huge.status == 400
    assert len(huge.body) < 100_000


def test_a_file_of_four_megabytes_is_read_to_its_end(browser):
    object_id = browser.register()
    data = b"\r\n--" * 700_000 + b"-----BEGIN PRIVATE KEY-----"
    assert "This file holds a private key." in said(browser.upload("server.crt", data, id=object_id))


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=", b"----"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n\r\n--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\ny\r\n--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name\r\n\r\ny\r\n--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: ;;;=;name*=%%'\r\n\r\ny\r\n--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A: b\r\n" * 5_000 + b"\r\ny\r\n--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\n" * 100_000),
        ("multipart/form-data; boundary=" + "x" * 500, b"--" + b"x" * 500),
        ("multipart/form-data; boundary=\x00", b"--\x00"),
        ("multipart/form-data; boundary*=utf-8''x", b"--x--"),
        ("multipart/mixed; boundary=x", b"--x--"),
        (FORM, b"&&&===%%%\xff\xfe"),
        ("application/json", b'{"name": "x"}'),
        ("", b"name=x"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="certificate"; '
                                            b'filename*=no-such-charset\'\'%ff\r\n\r\ny\r\n--x--'),
    ],
)  # fmt: skip
def test_a_body_that_is_no_form_is_an_empty_form(browser, content_type, body):
    object_id = browser.register()
    for page in ("new", "upload", "consent", "delete"):
        reply = browser.request("POST", f"{page}?id={object_id}", body, content_type=content_type)
        assert reply.status in (303, 400), (page, said(reply))
    assert browser.application(object_id)["keyCredentials"] == []


def test_the_files_bytes_come_through_untouched():
    data = bytes(range(256)) * 20 + b"\r\n\n\r--x\r\n"
    body, content_type = multipart({"description": "naïve ✓"}, 'a"b\\c/öé.crt'.replace('"', "%22"), data)
    form = read_form(Request("POST", "/", {"content-type": content_type}, body))
    assert form.files["certificate"].data == data
    assert form.files["certificate"].name == "öé.crt"
    assert form.text("description") == "naïve ✓"


@HUNT
@given(
    head=st.binary(max_size=60),
    middle=st.lists(st.sampled_from([b"--x", b"--x--", b"\r\n", b"\r\n\r\n", b"\n", b";", b'"', b"name=", b"filename=",
                                     b"filename*=", b"Content-Disposition: form-data; ", b"certificate", b"\xff", b"''",
                                     b"=?utf-8?q?=00?=", b"Content-Type: message/rfc822", b"*0*="]), max_size=40),
    boundary=st.sampled_from(["x", '"x"', "x y", "", "=?utf-8?q?x?=", "x;", "'x'"]),
)  # fmt: skip
def test_fuzz_no_multipart_body_makes_it_fail(head, middle, boundary):
    body = head + b"".join(middle)
    form = read_form(Request("POST", "/", {"content-type": f"multipart/form-data; boundary={boundary}"}, body))
    assert set(form.fields) == set(form.lists)


SHARED = Browser()
FIELDS = ["id", "as", "tab", "search", "click", "said", "shown", "api", "kind", "permission", "key", "grant", "value"]
TEXT = st.text(LETTERS, max_size=30) | st.sampled_from(
    ["..", "'", "$count", "\x00", "%2e", "appId='x'", "a" * 5_000, "\ud800"]
)


@HUNT
@given(
    page=st.sampled_from(sorted(PAGES)) | TEXT,
    query=st.dictionaries(
        st.sampled_from(FIELDS),
        TEXT | st.sampled_from([GRAPH_APP_ID, "Role", "Scope", "application", "deleted", "all", "developer"]),
        max_size=6,
    ),
    method=st.sampled_from(["GET", "POST", "HEAD"]),
    body=st.binary(max_size=80),
)  # fmt: skip
def test_fuzz_no_address_and_no_body_makes_it_fail(page, query, method, body):
    target = f"{quote(page, errors='replace')}?{urlencode(query, errors='replace')}"
    for content_type in (FORM, "multipart/form-data; boundary=x"):
        reply = SHARED.request(method, target, body, content_type=content_type)
        assert reply.status < 500
        assert b"<script" not in reply.body


# --- the sign-in page ------------------------------------------------------------------------------------------------


def test_the_sign_in_page_moves_to_the_portal_and_gives_no_key_away(portal):
    portal_url = portal.facts["portal_url"]
    app = msal.PublicClientApplication(
        TOOLS, authority=portal.facts["authority"], http_client=portal.session, instance_discovery=False
    )
    flow = app.initiate_device_flow(["User.Read"])
    assert flow["verification_uri"] == portal_url.rstrip("/").rpartition("/")[0] + "/device"
    page = portal.session.get(flow["verification_uri"], timeout=PATIENCE)
    page_key = re.search(r'name="page_key" value="([^"]+)"', page.text)[1]
    fields = {"page_key": page_key, "user_code": flow["user_code"], "decision": "approve"}
    refused = portal.session.post(flow["verification_uri"], fields | {"page_key": "guess"}, timeout=PATIENCE)
    assert refused.status_code == 403
    assert "You have signed in" in portal.session.post(flow["verification_uri"], fields, timeout=PATIENCE).text
    flow["latest_attempt_at"] = 0  # so that MSAL does not wait for its interval
    assert "access_token" in app.acquire_token_by_device_flow(flow)
    portal.control("reset")
    assert app.initiate_device_flow(["User.Read"])["verification_uri"] == flow["verification_uri"]


def test_a_code_is_typed_among_the_portals_pages_as_well(browser):
    fields = {"client_id": TOOLS, "scope": "User.Read"}
    codes = browser.practice.form(fields, endpoint="oauth2/v2.0/devicecode").json
    page_key = re.search(r'name="page_key" value="([^"]+)"', browser.get("device").body.decode())[1]
    typed = {"page_key": page_key, "user_code": codes["user_code"]}
    assert "asks for:" in text_of(browser.post("device", typed))
    assert "You have declined" in text_of(browser.post("device", typed | {"decision": "decline"}))


# --- the real process ------------------------------------------------------------------------------------------------


def test_an_app_clicked_with_requests_gets_a_token_by_msal_and_reads_users(portal):
    certificate = forge.certificate()
    url, session = portal.facts["portal_url"], portal.session
    page = session.post(f"{url}new", {"name": "clicked"}, timeout=PATIENCE)
    object_id = re.search(r"id=([0-9a-f-]{36})", page.url)[1]
    client_id = re.search(r'Application \(client\) ID</dt><dd><code class="guid">([^<]+)', page.text)[1]
    files = {"certificate": ("server.crt", pem(certificate))}
    page = session.post(f"{url}upload?id={object_id}", {"description": "mine"}, files=files, timeout=PATIENCE)
    assert "Successfully updated application clicked credentials." in page.text
    where = f"{url}add-permission?id={object_id}&api={GRAPH_APP_ID}&kind=application"
    session.post(where, {"permission": GRAPH_APP_ROLES["User.Read.All"]}, timeout=PATIENCE)
    page = session.post(f"{url}consent?id={object_id}", timeout=PATIENCE)
    assert "Successfully granted admin consent" in page.text

    key = forge.private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    app = msal.ConfidentialClientApplication(
        client_id,
        authority=portal.facts["authority"],
        http_client=session,
        instance_discovery=False,
        client_credential={"private_key": key, "public_certificate": pem(certificate).decode()},
    )
    token = app.acquire_token_for_client([GRAPH_SCOPE])["access_token"]
    users = session.get(
        f"{portal.facts['graph_endpoint']}/users", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE
    )
    assert len(users.json()["value"]) == 100
    assert portal.log() == ""


def test_the_port_takes_its_own_machine_only_and_says_so_on_a_page(portal):
    port = int(portal.facts["portal_url"].split(":")[2].partition("/")[0])
    url = portal.facts["portal_url"] + "apps"
    for host, status in (("evil.example", 421), (f"evil.example:{port}", 421), ("localhost:8888", 200)):
        answer = portal.session.get(url, headers={"Host": host}, timeout=PATIENCE)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in addresses - {"127.0.0.1"}:
        with closing(socket.socket()) as probe:
            probe.settimeout(2)
            assert probe.connect_ex((address, port)) != 0


def test_behind_a_proxy_every_host_is_taken_and_the_key_still_asked_for():
    with running("--portal-behind-proxy") as tenant:
        url, foreign = tenant.facts["portal_url"], {"Host": "hub.example"}
        assert tenant.session.get(f"{url}apps", headers=foreign, timeout=PATIENCE).status_code == 200
        outside_the_folder = url.rstrip("/").rpartition("/")[0]
        assert (
            tenant.session.get(f"{outside_the_folder}/guess/apps", headers=foreign, timeout=PATIENCE).status_code == 404
        )
        assert tenant.session.get(tenant.origin, headers=foreign, timeout=PATIENCE).status_code == 421


@pytest.mark.parametrize("megabytes", [5, 20])
def test_a_file_that_is_too_large_is_refused_on_a_page_and_the_next_click_answered(portal, megabytes):
    url = portal.facts["portal_url"]
    with tempfile.TemporaryFile() as file:
        file.write(b"0" * (megabytes * 1024 * 1024))
        file.seek(0)
        files = {"certificate": ("server.crt", file)}
        answer = portal.session.post(f"{url}upload?id=x", files=files, timeout=PATIENCE)
    assert answer.status_code == 413
    assert "It is not Microsoft&#x27;s." in answer.text
    assert portal.session.get(f"{url}apps", timeout=PATIENCE).status_code == 200


def test_the_https_port_knows_nothing_of_the_portals_pages(portal):
    key = portal.facts["portal_url"].rstrip("/").rpartition("/")[2]
    assert portal.session.get(f"{portal.origin}/{key}/apps", timeout=PATIENCE).status_code == 404
