"""A bench with customers: many practice tenants that start together, know one app, and end together."""

import copy
import pickle

import cloudpickle
import msal
import psutil
import pytest
from cryptography import x509
from workbook import WorkbookProblem, bench, keys, open_bench
from workbook.practice import PracticeTenant

SCOPE = ["https://graph.microsoft.com/.default"]
CUSTOMERS = {"fabrikam": {"users": 12}, "litware": {"users": 7, "expired_app": True}}


@pytest.fixture(scope="module")
def opened():
    made = open_bench(practice_only=True, customers=CUSTOMERS)
    yield made
    while bench._open_tenants:
        bench._open_tenants.pop().close()


def ask(opened, name, **changes):
    """A tenant's answer to the app of the home tenant, or to another one."""
    tenant = opened.tenants[name]
    arguments = {
        "client_id": opened.client_id,
        "authority": tenant.authority,
        "client_credential": {"private_key": str(opened.private_key), "public_certificate": opened.certificate},
        "http_client": tenant._control,  # it trusts this tenant's own authority
        "instance_discovery": False,
    }
    return msal.ConfidentialClientApplication(**(arguments | changes)).acquire_token_for_client(SCOPE)


def test_it_says_how_many_there_are_and_what_is_missing(opened, capsys):
    again = open_bench(practice_only=True, customers={"adatum": {"users": 3}}, stay_with=opened)
    assert again is opened  # a bench that is stayed with opens nothing
    lines = bench._practice_lines(bench.PracticeOptions(customers=CUSTOMERS), practice_only=True)
    assert lines[0] == "Tenant   3 practice tenants, on this machine only"
    assert "in contoso an app for all of them, consent to User.Read.All" in lines[1]
    assert lines[2].startswith("Missing  consent in the other 2;")


def test_every_customer_is_another_organisation(opened):
    assert list(opened.tenants) == ["contoso", "fabrikam", "litware"]
    assert opened.tenants["contoso"] is opened.practice
    assert len({tenant.tenant_id for tenant in opened.tenants.values()}) == 3


def test_one_app_is_known_at_home_and_elsewhere_after_consent(opened):
    assert "access_token" in ask(opened, "contoso")
    assert ask(opened, "fabrikam")["error_codes"] == [700016]
    opened.tenants["fabrikam"].consent(opened.client_id)
    assert "access_token" in ask(opened, "fabrikam")


def test_a_customer_may_have_an_app_of_its_own_whose_certificate_has_ended(opened):
    pair = keys.expired_pair()
    assert opened.expired_pfx_path == pair.pfx_path
    own = {
        "client_id": opened.tenants["litware"].client_id,
        "client_credential": {"private_key": str(pair.private_key), "public_certificate": pair.certificate},
    }
    refused = ask(opened, "litware", **own)
    assert refused["error_codes"] == [700027]
    assert "The key used is expired" in refused["error_description"]
    assert x509.load_pem_x509_certificate(pair.certificate.encode()).not_valid_after_utc == pair.valid_until


def test_a_secret_of_the_bench_cannot_be_pickled(opened):
    for secret in (opened.private_key, opened.passphrase):
        with pytest.raises(TypeError, match="does not travel"):
            pickle.dumps(secret)
        assert copy.deepcopy(secret) is copy.copy(secret) is secret

    def task(name):
        return opened.tenants[name]

    with pytest.raises((TypeError, pickle.PicklingError)):
        cloudpickle.dumps(task)


def test_all_end_when_the_bench_is_opened_anew_or_one_of_them_does_not_start(opened, monkeypatch):
    """The last test of this file: it ends the tenants of the others."""
    pids = [tenant.pid for tenant in opened.tenants.values()]
    assert all(map(psutil.pid_exists, pids))
    started = []
    remembering = PracticeTenant.__init__

    def init(self, options):
        remembering(self, options)
        started.append(self.pid)

    monkeypatch.setattr(PracticeTenant, "__init__", init)
    with pytest.raises(WorkbookProblem, match="cannot be a domain's name"):
        open_bench(practice_only=True, customers={"not a name": {}})
    assert len(started) == 1
    assert not any(map(psutil.pid_exists, pids + started))
