"""Opening the bench: what it says, what it gives, and that no practice tenant outlives its notebook."""

import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import msal
import outputs_guard
import psutil
import pytest
from chapters import NOTEBOOKS
from lent_tenants import Lender
from processes import DEADLINE, is_gone, temporary_files_in, wait_until
from workbook import PASSPHRASE, WorkbookProblem, bench, keys, open_bench, own_data, practice, settings
from workbook.practice import PracticeTenant

SCOPE = ["https://graph.microsoft.com/.default"]
PRACTICE_TEXT = """\
Tenant   the practice tenant, on this machine only
Ready    Entra ID and Microsoft Graph; an app with its certificate, consent to User.Read.All
Missing  nothing; to use your own tenant, copy env.sample to .env and fill it in
"""


@pytest.fixture(autouse=True)
def nothing_left_open(monkeypatch):
    monkeypatch.setattr(bench, "_marks", own_data.Marks())
    yield
    while bench._open_tenants:
        bench._open_tenants.pop().close()


@pytest.fixture(scope="module")
def lender():
    one = Lender()
    yield one
    one.end()


@pytest.fixture
def lent(lender, monkeypatch):
    """For a test that is not about a tenant's start or end: `open_bench` gets one that is running already, as new."""
    monkeypatch.setattr(bench, "PracticeTenant", lender)


def test_a_tenant_that_is_lent_again_is_as_new(lent):
    first = open_bench()
    first.practice.app("disable")
    again = open_bench()
    assert again.practice.pid == first.practice.pid
    credential = {"private_key": again.private_key, "public_certificate": again.certificate}
    assert "access_token" in client(again, credential).acquire_token_for_client(SCOPE)


def client(one, credential):
    return msal.ConfidentialClientApplication(
        one.client_id,
        authority=one.authority,
        client_credential=credential,
        http_client=one.session,
        instance_discovery=one.instance_discovery,
    )


# --- practice -------------------------------------------------------------------------------------------------------


def test_it_opens_a_tenant_that_works(capsys):
    one = open_bench()
    assert capsys.readouterr().out == PRACTICE_TEXT
    token = client(
        one, {"private_key": one.private_key, "public_certificate": one.certificate}
    ).acquire_token_for_client(SCOPE)
    users = one.session.get(f"{one.graph_endpoint}/users", headers={"Authorization": f"Bearer {token['access_token']}"})
    assert users.status_code == 200
    assert (one.is_practice, one.instance_discovery, one.client_secret) == (True, False, None)
    assert one.practice.portal_url is None


def test_every_file_it_names_is_a_credential(lent):
    one = open_bench(secret=True)
    credentials = [
        {"private_key_pfx_path": str(one.pfx_path), "passphrase": one.passphrase},
        {
            "private_key": one.private_key_path.read_text(encoding="utf-8"),
            "public_certificate": one.certificate_path.read_text(encoding="utf-8"),
        },
        one.client_secret,
    ]
    for credential in credentials:
        assert "access_token" in client(one, credential).acquire_token_for_client(SCOPE)


def test_the_learners_own_pair_changes_no_word(capsys, tmp_path, monkeypatch):
    pair = keys.practice_pair()
    for path in (pair.private_key_path, pair.certificate_path):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setenv("WORKBOOK_KEYS", str(tmp_path))
    one = open_bench()
    assert capsys.readouterr().out == PRACTICE_TEXT
    assert one.keys == tmp_path
    assert "access_token" in client(
        one, {"private_key": one.private_key, "public_certificate": one.certificate}
    ).acquire_token_for_client(SCOPE)


def test_it_says_what_is_ready(capsys):
    cases = [
        ({"roles": ()}, "its certificate, no consent yet"),
        ({"roles": ("User.Read.All", "Mail.Read")}, "consent to User.Read.All, Mail.Read"),
        ({"secret": True}, "its certificate and a client secret, consent"),
        ({"register_certificate": False, "secret": True}, "an app with a client secret, consent"),
        ({"register_certificate": False}, "no app yet"),
    ]
    for options, words in cases:
        assert words in "\n".join(bench._practice_lines(bench.PracticeOptions(**options), practice_only=False))
    said = "\n".join(bench._practice_lines(bench.PracticeOptions(), practice_only=True))
    assert "even when .env names your own" in said
    assert open_bench(register_certificate=False).client_id is None
    assert "no app yet" in capsys.readouterr().out


def test_a_copy_that_cannot_be_written_is_said(lent, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBOOK_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("WORKBOOK_OUTPUT", str(tmp_path / "new" / "output"))
    open_bench()
    assert capsys.readouterr().out == PRACTICE_TEXT
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path and may(path, mode))
    open_bench()
    said = capsys.readouterr().out
    assert said.startswith(PRACTICE_TEXT)
    assert "Note     the chapters cannot write files here: copy the workbook to a folder of your own" in said


def test_its_options_reach_the_tenant():
    one = open_bench(users=3, latency_ms=1, throttle=True, roles=())
    token = client(
        one, {"private_key": one.private_key, "public_certificate": one.certificate}
    ).acquire_token_for_client(SCOPE)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert one.session.get(f"{one.graph_endpoint}/users", headers=headers).status_code == 403
    one.practice.grant("User.Read.All")
    token = client(
        one, {"private_key": one.private_key, "public_certificate": one.certificate}
    ).acquire_token_for_client(SCOPE)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert len(one.session.get(f"{one.graph_endpoint}/users", headers=headers).json()["value"]) == 3


def test_no_secret_shows_in_its_repr(lent):
    one = open_bench(secret=True)
    shown = repr(one) + repr(one.private_key) + repr(one.passphrase) + repr(one.client_secret) + repr(one.practice)
    assert "PRIVATE KEY" not in shown
    assert PASSPHRASE not in shown
    assert bench.PRACTICE_SECRET not in shown
    assert one.practice._control.headers["X-Practice-Key"] not in shown


def test_the_systems_proxy_and_ca_bundle_do_not_get_between(lent, monkeypatch, tmp_path):
    (tmp_path / "empty.pem").touch()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "empty.pem"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    one = open_bench()
    assert one.session.get(f"{one.authority}/v2.0/.well-known/openid-configuration").status_code == 200
    assert one.practice.requests()


def test_another_certificate_may_be_registered():
    other = keys._fresh_pair.__wrapped__()
    one = open_bench(register_certificate=False, certificates=[other.certificate_path])
    credential = {"private_key": other.private_key, "public_certificate": other.certificate}
    assert "access_token" in client(one, credential).acquire_token_for_client(SCOPE)
    refusal = client(one, {"private_key": one.private_key, "public_certificate": one.certificate})
    assert 700027 in refusal.acquire_token_for_client(SCOPE)["error_codes"]


def test_opened_again_it_replaces_the_tenant():
    first = open_bench().practice
    second = open_bench().practice
    assert is_gone(first.pid)
    assert not is_gone(second.pid)


def test_control_calls_do_what_they_say(lent):
    one = open_bench()
    endpoint = f"{one.authority}/oauth2/v2.0/token"
    one.practice.fail("token", count=1, skip=1, status=503)
    assert [one.session.post(endpoint).status_code for _ in range(3)] == [400, 503, 400]
    credential = {"private_key": one.private_key, "public_certificate": one.certificate}
    one.practice.token_lifetime(600)
    assert client(one, credential).acquire_token_for_client(SCOPE)["expires_in"] < 601
    one.practice.revoke("User.Read.All")
    one.practice.app("disable")
    assert 7000112 in client(one, credential).acquire_token_for_client(SCOPE)["error_codes"]
    one.practice.app("enable")
    one.practice.shift_clock(3600)
    assert 700024 in client(one, credential).acquire_token_for_client(SCOPE)["error_codes"]
    one.practice.reset()
    assert "access_token" in client(one, credential).acquire_token_for_client(SCOPE)


def test_the_administrator_signs_in_and_steps_of_a_batch_fail(lent):
    one = open_bench()
    tools = msal.PublicClientApplication(
        "14d82eec-204b-4c2f-b7e8-296a70dab67e",
        authority=one.authority,
        http_client=one.session,
        instance_discovery=False,
    )
    flow = tools.initiate_device_flow(["User.Read.All"])
    one.practice.sign_in(flow["user_code"])
    token = tools.acquire_token_by_device_flow(flow)["access_token"]
    one.practice.fail("graph", in_batch=True, status=429)
    answer = one.session.post(
        f"{one.graph_endpoint}/$batch",
        json={"requests": [{"id": "1", "method": "GET", "url": "/users?$top=1"}]},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (answer.status_code, answer.json()["responses"][0]["status"]) == (200, 429)


def test_a_control_call_that_is_refused_is_a_sentence(lent):
    with pytest.raises(WorkbookProblem, match="target is one of: token, graph"):
        open_bench().practice.fail("everything")


def test_a_tenant_that_has_ended_is_a_sentence():
    tenant = open_bench().practice
    tenant.close()
    tenant.close()
    with pytest.raises(WorkbookProblem, match="Run the cell with open_bench"):
        tenant.requests()


def test_a_tenant_that_does_not_start_tells_why():
    before = psutil.Process().children()
    with pytest.raises(WorkbookProblem, match=r"did not start: .*Everything\.Read") as caught:
        open_bench(roles=["Everything.Read"])
    assert "\n" not in str(caught.value)
    assert psutil.Process().children() == before


def test_a_tenant_that_says_nothing_is_given_up(monkeypatch):
    before = psutil.Process().children()
    monkeypatch.setattr(practice, "_READY_WITHIN", 0.01)
    with pytest.raises(WorkbookProblem, match="did not start"):
        open_bench()
    assert psutil.Process().children() == before


# --- a real tenant, played by a practice tenant that is addressed the way .env would ----------------------------------


@pytest.fixture
def env_file(monkeypatch, tmp_path):
    """Writes .env into a root of its own and lets open_bench read it."""
    monkeypatch.delenv("WORKBOOK_TENANT")
    monkeypatch.setattr(bench, "read_settings", lambda: settings.read_settings(tmp_path))
    monkeypatch.setattr(bench, "remarks", lambda values: settings.remarks(values, tmp_path))

    def write(**values):
        (tmp_path / ".env").write_text(
            "".join(f"{name}='{value}'\n" for name, value in values.items()), encoding="utf-8"
        )

    return write


@pytest.fixture
def elsewhere(lender, monkeypatch):
    """A tenant that a .env may name, trusted as a company's own servers are: through REQUESTS_CA_BUNDLE."""
    tenant = lender([f"--certificate={keys.practice_pair().certificate_path}"])
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", tenant.ca_certificate)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tenant


def named(tenant, **changes):
    values = {
        "AZURE_TENANT_ID": tenant.tenant_id,
        "AZURE_CLIENT_ID": tenant.client_id,
        "AZURE_CLIENT_CERTIFICATE_PATH": keys.practice_pair().pfx_path.as_posix(),
        "AZURE_CLIENT_CERTIFICATE_PASSWORD": PASSPHRASE,
        "AZURE_AUTHORITY_HOST": tenant.authority.removesuffix(f"/{tenant.tenant_id}"),
        "GRAPH_ENDPOINT": tenant.graph_endpoint,
    }
    return values | changes


def test_without_env_file_it_is_the_practice_tenant(lent, env_file, capsys):
    assert open_bench().is_practice
    assert capsys.readouterr().out == PRACTICE_TEXT


def test_an_untouched_copy_of_env_sample_is_pointed_out(lent, env_file, capsys):
    env_file(**dict.fromkeys((*settings.REQUIRED, *settings.OPTIONAL), ""))
    assert open_bench().is_practice
    note = capsys.readouterr().out.removeprefix(PRACTICE_TEXT)
    assert re.fullmatch(r"Note     \.env is still empty: .*AZURE_TENANT_ID.*AZURE_CLIENT_CERTIFICATE_PATH\n", note)


def test_a_partly_filled_env_file_is_a_sentence(env_file):
    env_file(AZURE_CLIENT_ID="6fa459ea-ee8a-4ca4-894e-db77e160355e")
    with pytest.raises(WorkbookProblem, match="AZURE_TENANT_ID and AZURE_CLIENT_CERTIFICATE_PATH are missing"):
        open_bench()


def test_the_same_lines_work_in_a_real_tenant(env_file, elsewhere, capsys):
    env_file(**named(elsewhere))
    one = open_bench()
    assert capsys.readouterr().out.startswith(f"Tenant   your own, {elsewhere.tenant_id}\nReady    ")
    assert (one.is_practice, one.practice, one.tenant_id) == (False, None, elsewhere.tenant_id)
    assert one.scope == SCOPE
    token = client(
        one, {"private_key": one.private_key, "public_certificate": one.certificate}
    ).acquire_token_for_client(SCOPE)
    one.session.get(f"{one.graph_endpoint}/users", headers={"Authorization": f"Bearer {token['access_token']}"})
    assert one.wire.table()["status"].tolist() == [200, 200, 200]
    assert one.wire.table("host")["host"].tolist() == ["127.0.0.1"] * 3
    assert (len(one.wire.to_entra), len(one.wire.to_graph)) == (2, 1)
    assert one.wire.assertion(stable=True)["claims"]["aud"] == "{authority}/oauth2/v2.0/token"


def test_a_certificate_that_is_not_uploaded_is_entras_own_sentence(env_file, elsewhere, tmp_path):
    other = keys._fresh_pair.__wrapped__()
    env_file(**named(elsewhere, AZURE_CLIENT_CERTIFICATE_PATH=other.pfx_path.as_posix()))
    with pytest.raises(WorkbookProblem, match=r"gives no token: AADSTS700027: .*What helps: upload the certificate"):
        open_bench()


def test_an_app_that_is_not_there_is_entras_own_sentence(env_file, elsewhere):
    env_file(**named(elsewhere))
    elsewhere.app("remove")
    with pytest.raises(WorkbookProblem, match=r"AADSTS700016: .*What helps: compare AZURE_CLIENT_ID") as caught:
        open_bench()
    assert "Trace ID" not in str(caught.value)


def test_consent_that_is_missing_is_graphs_own_sentence(env_file, elsewhere, capsys):
    env_file(**named(elsewhere))
    elsewhere.revoke("User.Read.All")
    assert not open_bench().is_practice
    said = capsys.readouterr().out
    assert "Missing  User.Read.All: Graph says 403 Authorization_RequestDenied, Insufficient privileges" in said
    assert "grants consent to User.Read.All" in said


def test_a_wider_role_is_enough(env_file, elsewhere, capsys):
    env_file(**named(elsewhere))
    elsewhere.revoke("User.Read.All")
    elsewhere.grant("Directory.Read.All")
    open_bench()
    said = capsys.readouterr().out
    assert "Missing  nothing\n" in said
    assert "Privacy  outputs now hold data of your organisation" in said


def test_a_client_secret_opens_what_does_not_need_a_certificate(lent, env_file, monkeypatch, capsys):
    tenant = PracticeTenant(["--secret=practice-secret"])
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", tenant.ca_certificate)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    env_file(**named(tenant, AZURE_CLIENT_CERTIFICATE_PATH="", AZURE_CLIENT_SECRET="practice-secret"))
    try:
        assert open_bench().is_practice
        assert "a client secret and no certificate, so this chapter" in capsys.readouterr().out
        one = open_bench(secret_is_enough=True)
        assert (one.is_practice, one.private_key, one.certificate) == (False, "", "")
        assert "access_token" in client(one, one.client_secret).acquire_token_for_client(one.scope)
        assert "chapters about certificates use the practice tenant" in capsys.readouterr().out
    finally:
        tenant.close()


def test_an_argument_that_there_is_not_is_told():
    with pytest.raises(TypeError, match="user"):
        open_bench(user=3)


def test_what_is_shown_after_a_real_tenant_was_opened_is_marked_until_the_kernel_restarts(
    lent, env_file, elsewhere, monkeypatch, capsys
):
    registered, left = [], []
    shell = SimpleNamespace(events=SimpleNamespace(register=lambda *one: registered.append(one)))
    monkeypatch.setattr(bench, "shell_here", lambda: shell)
    monkeypatch.setattr(own_data, "publish_display_data", left.append)
    open_bench(practice_only=True)
    assert "restart it before you commit" not in capsys.readouterr().out
    assert registered == []

    env_file(**named(elsewhere))
    open_bench()
    open_bench()
    [(event, leave)] = registered
    assert event == "post_run_cell"
    leave(None)
    assert left == [{"text/html": own_data.MARK, "text/plain": ""}]
    capsys.readouterr()
    open_bench(practice_only=True)
    assert "Note     this kernel has read your own tenant" in capsys.readouterr().out


def test_a_setting_that_only_the_daemon_reads_is_told(env_file, elsewhere, capsys):
    env_file(**named(elsewhere, OIDC_AUTHORITY="https://login.contoso.com/tenant/v2.0"))
    open_bench()
    assert "Note     OIDC_AUTHORITY is read by graph_daemon.py; the chapters sign in" in capsys.readouterr().out


def test_the_guard_knows_the_mark_and_the_line():
    assert outputs_guard.OWN_TENANT[1] == own_data.MARK
    assert f'"{outputs_guard.OWN_TENANT[0]}, ' in Path(bench.__file__).read_text(encoding="utf-8")


def test_practice_only_beats_the_env_file(lent, env_file, elsewhere):
    env_file(**named(elsewhere))
    assert open_bench(practice_only=True).practice.pid != elsewhere.pid


def test_a_typo_in_the_tenant_id_is_a_sentence(env_file, elsewhere):
    typo = elsewhere.tenant_id[:-1] + ("0" if elsewhere.tenant_id[-1] != "0" else "1")
    env_file(**named(elsewhere, AZURE_TENANT_ID=typo))
    with pytest.raises(WorkbookProblem, match=f"knows no tenant {typo}: compare AZURE_TENANT_ID"):
        open_bench()


def test_a_ca_bundle_that_is_gone_is_a_sentence(env_file, elsewhere, monkeypatch, tmp_path):
    env_file(**named(elsewhere))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "gone.pem"))
    with pytest.raises(WorkbookProblem, match="names no file that can be read"):
        open_bench()


def test_no_network_is_a_sentence(env_file, elsewhere):
    env_file(**named(elsewhere, AZURE_AUTHORITY_HOST="https://127.0.0.1:9"))
    with pytest.raises(WorkbookProblem, match=r"127\.0\.0\.1 cannot be reached: check the network"):
        open_bench()


def test_an_untrusted_server_is_a_sentence(env_file, elsewhere, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    env_file(**named(elsewhere))
    with pytest.raises(WorkbookProblem, match="set REQUESTS_CA_BUNDLE"):
        open_bench()


def test_a_server_that_is_not_entra_is_a_sentence(env_file, elsewhere):
    env_file(**named(elsewhere))
    elsewhere.fail("token", status=503)
    with pytest.raises(WorkbookProblem, match=r"did not answer like Entra ID \(HTTP 503\)"):
        open_bench()


# --- the life of the child process ----------------------------------------------------------------------------

NOTEBOOK = textwrap.dedent(
    """
    import signal, sys
    from workbook import open_bench
    signal.signal(signal.SIGINT, lambda *_: print("stopped", flush=True))
    bench = open_bench()
    print("pid", bench.practice.pid, flush=True)
    for line in sys.stdin:
        if line == "end\\n":
            break
        print("alive", len(bench.practice.requests()), flush=True)
    """
)


@pytest.fixture
def environment(tmp_path, from_nothing):
    """The environment of a process that starts its practice tenant as a learner's does."""
    return temporary_files_in(tmp_path)


@pytest.fixture
def notebook(environment):
    """A process of its own that has opened a bench, and the pid of its practice tenant."""
    process = subprocess.Popen(
        [sys.executable, "-c", NOTEBOOK],
        cwd=NOTEBOOKS,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,  # so that a signal to the group does not reach pytest
    )
    with process:
        pid = int(line_with(process, "pid").split()[1])
        yield process, pid
        process.kill()
    wait_until(lambda: is_gone(pid), "the practice tenant ends with its parent")


def line_with(process, word):
    """The next line that begins with a word; fails when the process ends before."""
    line = next((line for line in process.stdout if line.startswith(word)), None)
    assert line, f"it ended without saying {word}"
    return line


def is_alive(process):
    process.stdin.write("\n")
    process.stdin.flush()
    return line_with(process, "alive")


def test_it_survives_stop_and_ends_with_a_notebook_that_ends(notebook):
    process, pid = notebook
    if os.name != "nt":  # Windows has no signal to a process group; the kernel test below covers Stop
        os.killpg(process.pid, signal.SIGINT)
        assert line_with(process, "stopped")
    assert is_alive(process)
    assert not is_gone(pid)
    process.communicate("end\n", timeout=DEADLINE)
    assert process.returncode == 0
    assert is_gone(pid)


def test_it_ends_with_a_notebook_that_is_killed(notebook):
    process, pid = notebook
    process.kill()
    wait_until(lambda: is_gone(pid), "the practice tenant ends with its parent")


def test_nothing_of_the_workbook_imports_the_practice_tenant():
    sources = [path.read_text(encoding="utf-8") for path in Path(bench.__file__).parent.rglob("*.py")]
    assert sources
    assert not [source for source in sources if re.search(r"^\s*(from|import)\s+practice_tenant", source, re.MULTILINE)]
