"""The practice directory is what data/README.md says it is: Graph's shapes, one organisation, nobody real."""

import base64
import json
import re
import unicodedata
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import pytest
from chapters import ROOT
from practice_tenant.directory.made_people import load_people
from practice_tenant.directory.well_known import ADMINISTRATOR
from practice_tenant.options import options_parser, read_settings

DATA = ROOT / "data"
PEOPLE_FILE = DATA / "people.jsonl"
README_FILE = DATA / "README.md"

INITIAL_DOMAIN = "contoso.onmicrosoft.example"
OWN_DOMAINS = {"contoso.example", INITIAL_DOMAIN}

# Graph's user resource: the type of each property used, and the longest value its description allows.
TYPES = {
    "id": "String",
    "displayName": "String",
    "givenName": "String",
    "surname": "String",
    "userPrincipalName": "String",
    "mail": "String",
    "mailNickname": "String",
    "accountEnabled": "Boolean",
    "userType": "String",
    "jobTitle": "String",
    "department": "String",
    "companyName": "String",
    "employeeId": "String",
    "employeeType": "String",
    "employeeHireDate": "DateTimeOffset",
    "officeLocation": "String",
    "streetAddress": "String",
    "city": "String",
    "state": "String",
    "postalCode": "String",
    "country": "String",
    "usageLocation": "String",
    "preferredLanguage": "String",
    "businessPhones": "Collection(String)",
    "mobilePhone": "String",
    "faxNumber": "String",
    "otherMails": "Collection(String)",
    "proxyAddresses": "Collection(String)",
    "createdDateTime": "DateTimeOffset",
    "creationType": "String",
    "externalUserState": "String",
    "externalUserStateChangeDateTime": "DateTimeOffset",
    "lastPasswordChangeDateTime": "DateTimeOffset",
    "passwordPolicies": "String",
    "ageGroup": "String",
    "showInAddressList": "Boolean",
    "isResourceAccount": "Boolean",
    "onPremisesSyncEnabled": "Boolean",
    "onPremisesImmutableId": "String",
    "onPremisesSamAccountName": "String",
    "onPremisesLastSyncDateTime": "DateTimeOffset",
    "assignedLicenses": "Collection(assignedLicense)",
    "signInActivity": "signInActivity",
    "manager": "relationship",
}
LONGEST = {
    "displayName": 256,
    "givenName": 64,
    "surname": 64,
    "companyName": 64,
    "department": 64,
    "mailNickname": 64,
    "mobilePhone": 64,
    "jobTitle": 128,
    "city": 128,
    "country": 128,
    "state": 128,
    "postalCode": 40,
    "streetAddress": 1024,
    "employeeId": 16,
    "otherMails": 250,
}
REQUIRED = {"id", "displayName", "userPrincipalName", "mailNickname"}
SIGN_IN_MEMBERS = [
    "lastSignInDateTime", "lastSignInRequestId", "lastNonInteractiveSignInDateTime",
    "lastNonInteractiveSignInRequestId", "lastSuccessfulSignInDateTime", "lastSuccessfulSignInRequestId",
]  # fmt: skip
SIGN_IN_KINDS = ("lastSignIn", "lastNonInteractiveSignIn", "lastSuccessfulSignIn")

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
ADDRESS = re.compile(r"[A-Za-z0-9._#-]+@[a-z0-9-]+(\.[a-z0-9-]+)*\.example")

# International form, digits only, of the ranges set aside for fiction, and who set them aside.
FICTION_NUMBERS = {
    "NANPA": r"1(206|312|425|514)55501\d\d",
    "Ofcom, London": r"442079460\d{3}",
    "Ofcom, mobile": r"447700900\d{3}",
    "Bundesnetzagentur, Berlin": r"493023125\d{3}",
    "Bundesnetzagentur, mobile": r"49(17139200|176040690)\d\d",
    "ARCEP": r"33(19900|63998)\d{4}",
    "PTS, Stockholm": r"468465004\d\d",
    "PTS, mobile": r"46701740(60[5-9]|6[1-9]\d)",
    "ACMA, Sydney": r"612(5550|7010)\d{4}",
    "ACMA, mobile": r"61491570(006|110|156|157|158|159)",
}


@pytest.fixture(scope="module")
def people() -> list[dict]:
    return [json.loads(line) for line in PEOPLE_FILE.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def by_id(people) -> dict[str, dict]:
    return {user["id"]: user for user in people}


def is_guest(user: dict) -> bool:
    return user.get("userType") == "Guest"


def is_room(user: dict) -> bool:
    return user.get("isResourceAccount", False)


def is_service(user: dict) -> bool:
    return "passwordPolicies" in user


def is_second_account(user: dict) -> bool:
    return user["userPrincipalName"].startswith("adm-")


def is_shared_mailbox(user: dict) -> bool:
    return "givenName" not in user and not (is_guest(user) or is_room(user) or is_service(user))


def is_person(user: dict) -> bool:
    """A colleague: neither a guest, nor a room, nor an account that no one person uses every day."""
    return "givenName" in user and not (is_guest(user) or is_second_account(user))


def has_left(user: dict) -> bool:
    return is_person(user) and not user["accountEnabled"]


def instant(text: str) -> datetime:
    """Parse the one form Graph uses here; raises ValueError for any other."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def telephone_numbers(user: dict) -> list[str]:
    """All of a user's numbers, business, mobile and fax, as they are written."""
    single = [user[name] for name in ("mobilePhone", "faxNumber") if name in user]
    return user.get("businessPhones", []) + single


def smtp_addresses(user: dict) -> list[str]:
    return [entry.partition(":")[2] for entry in user.get("proxyAddresses", [])]


def all_addresses(user: dict) -> list[str]:
    named = [user[name] for name in ("userPrincipalName", "mail") if name in user]
    return named + user.get("otherMails", []) + smtp_addresses(user)


def has_type(value: object, graph_type: str) -> bool:
    match graph_type:
        case "String":
            return isinstance(value, str) and value.strip() == value != ""
        case "Boolean":
            return isinstance(value, bool)
        case "DateTimeOffset":
            return isinstance(value, str) and instant(value) is not None
        case "Collection(String)":
            return isinstance(value, list) and value != [] and all(has_type(v, "String") for v in value)
        case "Collection(assignedLicense)":
            return isinstance(value, list) and value != [] and all(is_assigned_license(v) for v in value)
        case "signInActivity":
            return is_sign_in_activity(value)
        case "relationship":
            return isinstance(value, str) and GUID.fullmatch(value) is not None
    raise AssertionError(f"TYPES names an unknown type: {graph_type}")


def is_assigned_license(value: object) -> bool:
    return (
        isinstance(value, dict)
        and list(value) == ["disabledPlans", "skuId"]
        and all(UUID(plan) for plan in value["disabledPlans"])
        and bool(UUID(value["skuId"]))
    )


def is_sign_in_activity(value: object) -> bool:
    """Six members; a time and the id of its request are there together, or neither is."""
    if not isinstance(value, dict) or list(value) != SIGN_IN_MEMBERS:
        return False
    pairs = [(value[f"{kind}DateTime"], value[f"{kind}RequestId"]) for kind in SIGN_IN_KINDS]
    return any(moment for moment, _ in pairs) and all(
        (moment is None and request_id is None) or (instant(moment) and GUID.fullmatch(request_id))
        for moment, request_id in pairs
    )


def readme_rows(heading: str) -> list[list[str]]:
    """The cells of the first table in README.md after a line that starts with `heading`."""
    after = README_FILE.read_text(encoding="utf-8").partition(f"\n{heading}")[2]
    lines = after[after.index("\n|") + 1 :].splitlines()
    table = lines[: next(i for i, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip(" `") for cell in line.strip("|").split(" | ")] for line in table[2:]]


# The file


def test_every_line_is_compact_json_in_composed_utf8():
    raw = PEOPLE_FILE.read_bytes()
    text = raw.decode("utf-8")
    assert len(raw) < 320_000
    assert text.endswith("}\n")
    assert "\r" not in text
    assert unicodedata.is_normalized("NFC", text)
    for line in text.splitlines():
        assert line == json.dumps(json.loads(line), ensure_ascii=False, separators=(",", ":"))


def test_every_property_is_graphs_and_has_its_type(people):
    for user in people:
        assert user.keys() <= TYPES.keys(), user["id"]
        assert user.keys() >= REQUIRED, user["id"]
        for name, value in user.items():
            assert has_type(value, TYPES[name]), (user["id"], name, value)


def test_no_value_is_longer_than_graph_allows(people):
    for user in people:
        for name in LONGEST.keys() & user.keys():
            values = user[name] if isinstance(user[name], list) else [user[name]]
            assert all(len(value) <= LONGEST[name] for value in values), (user["id"], name)
        assert len(user.get("businessPhones", [])) <= 1, "Graph holds one business number a user"


def test_readme_table_names_every_property_its_type_and_its_count(people):
    counts = Counter(name for user in people for name in user)
    table = {name: (graph_type, int(lines)) for name, graph_type, _, lines in readme_rows("The shape of each")}
    assert table == {name: (TYPES[name], counts[name]) for name in counts}


def test_readme_names_the_number_of_users(people):
    assert f"holds the {len(people)} users" in README_FILE.read_text(encoding="utf-8")


# Identity


def test_ids_are_distinct_lower_case_version_4_guids(people, by_id):
    assert len(by_id) == len(people)
    assert all(GUID.fullmatch(user_id) for user_id in by_id)


@pytest.mark.parametrize(
    "name", ["userPrincipalName", "mail", "mailNickname", "employeeId", "onPremisesSamAccountName"]
)
def test_values_that_identify_are_distinct_in_any_case(people, name):
    values = [user[name].lower() for user in people if name in user]
    assert [value for value, count in Counter(values).items() if count > 1] == []


def test_no_two_users_share_an_smtp_address(people):
    addresses = Counter(address.lower() for user in people for address in smtp_addresses(user))
    assert [address for address, count in addresses.items() if count > 1] == []


def test_mail_is_the_one_primary_smtp_address(people):
    for user in people:
        if "proxyAddresses" in user:
            primary = [entry for entry in user["proxyAddresses"] if entry.startswith("SMTP:")]
            assert primary == [f"SMTP:{user['mail']}"], user["id"]
            assert all(entry.startswith(("SMTP:", "smtp:")) for entry in user["proxyAddresses"])


def test_every_domain_ends_in_example(people):
    for user in people:
        for address in all_addresses(user):
            assert ADDRESS.fullmatch(address), (user["id"], address)
        assert user["userPrincipalName"].partition("@")[2] in OWN_DOMAINS


# Nobody real


def test_every_telephone_number_is_reserved_for_fiction(people):
    ranges = re.compile("|".join(f"(?:{pattern})" for pattern in FICTION_NUMBERS.values()))
    for user in people:
        for number in telephone_numbers(user):
            assert re.fullmatch(r"\+[\d ()-]+", number), number
            assert ranges.fullmatch(re.sub(r"\D", "", number.replace("(0)", ""))), number


def test_every_fiction_range_is_used(people):
    digits = [re.sub(r"\D", "", n.replace("(0)", "")) for user in people for n in telephone_numbers(user)]
    for owner, pattern in FICTION_NUMBERS.items():
        assert any(re.fullmatch(pattern, number) for number in digits), owner
    assert len(set(digits)) == len(digits), "every number belongs to one user"


# The organisation


def test_the_organisation_has_a_real_ones_mix(people):
    assert 240 <= len(people) <= 260
    assert 190 <= sum(is_person(user) and user["accountEnabled"] for user in people) <= 205
    assert 20 <= sum(map(is_guest, people)) <= 30
    assert 8 <= sum(map(has_left, people)) <= 14
    assert 4 <= sum(map(is_shared_mailbox, people)) <= 8
    assert 4 <= sum(map(is_room, people)) <= 8
    assert 4 <= sum(map(is_service, people)) <= 8
    assert 2 <= sum(map(is_second_account, people)) <= 5


def test_departments_are_uneven_and_untidy(people):
    sizes = Counter(user["department"] for user in people if "department" in user)
    assert 12 <= len(sizes) <= 18
    assert max(sizes.values()) > 10 * min(sizes.values())
    assert {"Sales", "sales", "People", "Human Resources", "Engineering", "Enginering"} <= sizes.keys()
    assert any(is_person(user) and "department" not in user for user in people)


def test_a_place_has_one_country_and_one_usage_location(people):
    for place in ("city", "officeLocation"):
        seen: dict[str, set[str]] = {}
        for user in people:
            if place in user and user[place] != "Remote" and "country" in user:
                seen.setdefault(user[place], set()).add(user["country"])
        assert seen
        assert all(len(countries) == 1 for countries in seen.values()), seen
    pairs = {
        (user["country"], user["usageLocation"]) for user in people if "country" in user and "usageLocation" in user
    }
    assert len(pairs) == len({country for country, _ in pairs}) == len({code for _, code in pairs})
    assert all(re.fullmatch(r"[A-Z]{2}", code) for _, code in pairs)


def test_telephone_numbers_belong_to_the_country(people):
    prefix = {"US": "+1", "CA": "+1", "GB": "+44", "DE": "+49", "FR": "+33", "SE": "+46", "AU": "+61"}
    for user in people:
        if "usageLocation" in user:
            for number in telephone_numbers(user):
                assert number.startswith(prefix[user["usageLocation"]] + " "), (user["id"], number)


def test_preferred_languages_are_language_and_region(people):
    languages = {user["preferredLanguage"] for user in people if "preferredLanguage" in user}
    assert len(languages) >= 20
    assert all(re.fullmatch(r"[a-z]{2}(-[A-Z][a-z]{3})?-[A-Z]{2}", language) for language in languages)


def test_managers_form_one_tree_up_to_the_chief_executive(people, by_id):
    chief = next(user for user in people if user.get("jobTitle") == "Chief Executive Officer")
    assert "manager" not in chief
    for user in people:
        chain = [user]
        while "manager" in chain[-1]:
            chain.append(by_id[chain[-1]["manager"]])
            assert len(chain) < 10, f"managers of {user['id']} run in a circle"
        assert chain[-1] is chief or len(chain) == 1, f"managers of {user['id']} end below the chief executive"


def test_only_colleagues_have_and_are_managers(people, by_id):
    managed = [user for user in people if "manager" in user]
    assert all(is_person(user) for user in managed)
    assert all(is_person(by_id[user["manager"]]) for user in managed)
    active = [user for user in people if is_person(user) and user["accountEnabled"]]
    assert 2 <= sum("manager" not in user for user in active) <= 5
    assert 1 <= sum(has_left(by_id[user["manager"]]) for user in managed if user["accountEnabled"]) <= 3


# Kinds of account


def test_guests_look_invited(people):
    for user in filter(is_guest, people):
        home = user["mail"].replace("@", "_")
        assert user["userPrincipalName"] == f"{home}#EXT#@{INITIAL_DOMAIN}"
        assert user["mail"].partition("@")[2] not in OWN_DOMAINS
        assert user["creationType"] == "Invitation"
        assert user["otherMails"] == [user["mail"]]
        assert "employeeId" not in user
        assert "assignedLicenses" not in user
    states = Counter(user.get("externalUserState") for user in filter(is_guest, people))
    assert states.keys() == {"Accepted", "PendingAcceptance", None}


def test_external_state_and_its_time_go_together(people):
    for user in people:
        assert ("externalUserState" in user) == ("externalUserStateChangeDateTime" in user)
        assert ("creationType" in user) == ("#EXT#" in user["userPrincipalName"])
    converted = [user for user in people if "creationType" in user and not is_guest(user)]
    assert len(converted) == 1, "one member came in as a guest"


def test_of_three_guests_nobody_knows_whether_they_are_switched_on(people):
    unknown = [user for user in people if "accountEnabled" not in user]
    assert len(unknown) == 3
    assert all(is_guest(user) for user in unknown)


def test_people_sign_in_services_sign_themselves_in_and_mailboxes_never(people):
    for user in people:
        activity = user.get("signInActivity")
        if is_room(user) or is_shared_mailbox(user) or user.get("externalUserState") == "PendingAcceptance":
            assert activity is None
        elif is_service(user):
            assert activity["lastSignInDateTime"] is None
            assert activity["lastNonInteractiveSignInDateTime"] is not None


def test_sign_ins_lie_where_they_can(people):
    """After the account was made, before the data were written down; successes are recorded since December 2023."""
    latest = datetime(2026, 9, 28, tzinfo=UTC)
    recorded_since = datetime(2023, 12, 1, tzinfo=UTC)
    for user in people:
        activity = user.get("signInActivity", {})
        moments = [instant(activity[f"{kind}DateTime"]) for kind in SIGN_IN_KINDS if activity.get(f"{kind}DateTime")]
        made = instant(user.get("createdDateTime", "2010-01-01T00:00:00Z"))
        assert all(made < moment < latest for moment in moments), user["id"]
        success = activity.get("lastSuccessfulSignInDateTime")
        if success:
            others = [activity["lastSignInDateTime"], activity["lastNonInteractiveSignInDateTime"]]
            assert recorded_since < instant(success) <= max(instant(one) for one in others if one)


def test_some_never_signed_in_some_not_for_months_and_some_failed_last(people):
    active = [user for user in people if is_person(user) and user["accountEnabled"]]
    with_activity = [user["signInActivity"] for user in active if "signInActivity" in user]
    assert 5 <= len(active) - len(with_activity) <= 20
    assert 8 <= sum(one["lastSignInDateTime"] < "2026-06-27" for one in with_activity) <= 30
    failed = [
        one
        for one in with_activity
        if one["lastSuccessfulSignInDateTime"] and one["lastSuccessfulSignInDateTime"] < one["lastSignInDateTime"]
    ]
    assert 3 <= len(failed) <= 20


def test_rooms_and_shared_mailboxes_are_mail_only(people):
    for user in people:
        if is_room(user) or is_shared_mailbox(user):
            assert not user["accountEnabled"]
            assert "mail" in user
            assert user.keys().isdisjoint({"givenName", "surname", "jobTitle", "employeeId", "assignedLicenses"})


def test_second_accounts_belong_to_a_person_and_have_no_mail(people):
    names = {user["displayName"] for user in people if is_person(user)}
    for user in filter(is_second_account, people):
        assert f"{user['givenName']} {user['surname']}" in names
        assert user.keys().isdisjoint({"mail", "proxyAddresses", "assignedLicenses"})


def test_service_accounts_are_hidden_and_keep_their_password(people):
    for user in filter(is_service, people):
        assert user["showInAddressList"] is False
        assert user["passwordPolicies"] == "DisablePasswordExpiration"


def test_licences_are_named_in_the_readme_and_need_a_usage_location(people):
    used = {plan["skuId"] for user in people for plan in user.get("assignedLicenses", [])}
    assert used == {row[0] for row in readme_rows("## Licences")}
    for user in people:
        if "assignedLicenses" in user:
            assert user["accountEnabled"]
            assert "usageLocation" in user


def test_the_synchronised_part_is_consistent(people):
    states = Counter(user.get("onPremisesSyncEnabled") for user in people)
    assert states.keys() == {True, False, None}
    for user in people:
        if "onPremisesSyncEnabled" in user:
            assert len(base64.b64decode(user["onPremisesImmutableId"], validate=True)) == 16
            assert "onPremisesLastSyncDateTime" in user
        if user.get("onPremisesSyncEnabled"):
            assert len(user["onPremisesSamAccountName"]) <= 20, "Active Directory's limit"


def test_contractors_have_no_employee_id_and_old_ids_keep_their_zeros(people):
    outside = {"Contractor", "Consultant", "Vendor"}
    kinds = {user["employeeType"] for user in people if "employeeType" in user}
    assert kinds == outside | {"Employee", "employee", "Intern"}
    assert not any("employeeId" in user for user in people if user.get("employeeType") in outside)
    ids = [user["employeeId"] for user in people if "employeeId" in user]
    assert all(re.fullmatch(r"00\d{4}|E\d{6}", employee_id) for employee_id in ids)
    assert {employee_id[0] for employee_id in ids} == {"0", "E"}


# Time


def test_accounts_without_a_creation_time_are_older_than_june_2018(people):
    june_2018 = datetime(2018, 6, 1, tzinfo=UTC)
    undated = [user for user in people if "createdDateTime" not in user]
    assert len(undated) >= 10
    for user in undated:
        assert instant(user.get("employeeHireDate", "1998-01-01T00:00:00Z")) < june_2018, user["id"]


def test_times_follow_one_another(people):
    for user in people:
        created = instant(user.get("createdDateTime", "1998-01-01T00:00:00Z"))
        for later in (
            "lastPasswordChangeDateTime",
            "onPremisesLastSyncDateTime",
            "externalUserStateChangeDateTime",
        ):
            assert later not in user or instant(user[later]) >= created, (user["id"], later)


def test_hire_dates_run_from_1998_to_two_starts_in_2027(people):
    years = Counter(instant(user["employeeHireDate"]).year for user in people if "employeeHireDate" in user)
    assert min(years) == 1998
    assert max(years) == 2027
    assert years[2027] == 2
    assert len(years) >= 25


# Names


def test_display_names_come_in_many_scripts(people):
    letters = {char for user in people for char in user["displayName"] if char.isalpha()}
    scripts = {unicodedata.name(char).split()[0] for char in letters}
    assert scripts >= {
        "LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI", "KANNADA",
        "CJK", "HIRAGANA", "KATAKANA", "HANGUL",
    }  # fmt: skip
    assert set("İıĐÞðßöñ'-") <= {char for user in people for char in user["displayName"]}


def test_display_names_hold_the_awkward_cases(people):
    names = [user["displayName"] for user in people]
    assert 2 <= sum(count > 1 for count in Counter(names).values()) <= 4
    assert any(name[0].isdigit() for name in names)
    assert any(unicodedata.category(name[0]).startswith("P") for name in names)
    assert any(is_person(u) and u["displayName"].islower() for u in people)
    assert any(len(name) > 70 for name in names)
    assert sum(is_person(user) and "surname" not in user for user in people) == 1


def test_the_file_is_in_no_order_and_opens_with_variety(people):
    names = [user["displayName"].casefold() for user in people]
    assert sum(a < b for a, b in pairwise(names)) < 0.65 * len(names)
    first = people[:12]
    assert len({user["country"] for user in first if "country" in user}) >= 7
    assert any(is_guest(user) for user in first)
    assert any(has_left(user) for user in first)
    assert any(is_room(user) for user in first)
    assert min(len(user) for user in first) < 16 < max(len(user) for user in first)


# --- the size of the directory ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 50, 161, 162, 254, 300])
def test_the_administrator_is_in_a_directory_of_every_size(size):
    people = load_people(size)
    assert len(people) == len({person["id"] for person in people}) == size
    assert [person["id"] for person in people].count(ADMINISTRATOR.id) == 1


def test_a_small_directory_has_the_same_people_as_a_large_one():
    assert load_people(50)[:49] == load_people()[:49]
    assert load_people(254) == load_people()


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [("mixed", r"[^.]+\.[^.]+\.\d+"), ("numbers", r"\d{7}"), ("prefix", r"e\d{7}")],
)
def test_sign_in_names_of_made_people_are_of_the_kind_asked_for(kind, pattern):
    listed = load_people()
    everybody = load_people(len(listed) + 500, sign_in_names=kind)
    assert everybody[: len(listed)] == listed
    made = everybody[len(listed) :]
    names = [person["userPrincipalName"].partition("@")[0] for person in made]
    assert [name for name in names if not re.fullmatch(pattern, name)] == []
    assert len(set(names)) == len(made) == 500
    assert all(person["mailNickname"] == name for person, name in zip(made, names, strict=True))


def test_the_command_line_chooses_the_sign_in_names():
    parser = options_parser()
    chosen = parser.parse_args(["--users", "300", "--secret", "a~secret", "--sign-in-names", "prefix"])
    assert read_settings(chosen).sign_in_names == "prefix"
    assert read_settings(parser.parse_args(["--secret", "a~secret"])).sign_in_names == "mixed"
    with pytest.raises(SystemExit):
        parser.parse_args(["--sign-in-names", "animals"])
