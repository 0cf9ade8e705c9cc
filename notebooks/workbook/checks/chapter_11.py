"""Chapter 11: what came of many tenants, what is still to do, who is known in several, and what may travel."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from ..marking import gives, of_type, plain
from ..verdicts import GRAPH_SCOPE, Ask, Verdict, exercise, not_yet, right

Heaps = dict[str, list[str]]

# --- 11-outcome -----------------------------------------------------------------------------------------------------

NIGHTS = {
    "a tenant with 0 is done": {"fabrikam": 0, "adatum": 0},
    "5 means that time helps": {"northwind": 5, "adatum": 5, "fabrikam": 0},
    "2, 3 and 4 are for a person": {"wingtip": 4, "litware": 3, "lucerne": 2, "fabrikam": 0},
    "1 is a fault of the program, and nobody has planned for it": {"tailspin": 1},
    "-9 and 137 are not in the table, and somebody must look": {"margie": -9, "adatum": 137, "proseware": 130},
    "without a tenant, the three lists are there and empty": {},
}


@exercise(
    "11-outcome",
    given="""
def heaps(outcomes):
    found = {"done": [], "later": [], "person": []}
    for tenant, exit_code in ...:
        heap = "done" if exit_code == 0 else ...
        found[heap].append(tenant)
    return found
""",
)
def outcome(heaps: Callable[[dict[str, int]], Heaps], ask: Ask) -> Verdict:
    """heaps(outcomes) sorts tenants by exit code into done, later and person, each in alphabetical order."""
    mistakes: dict[str, Callable[[dict[str, int]], Any]] = {
        "each list is in alphabetical order, whatever the order of the tenants was.": _in_the_order_they_came,
        "a list of pairs was meant to be three lists of names.": lambda outcomes: sorted(outcomes.items()),
        "every failure waits for a person here, but after a 5 the same run succeeds later.": lambda outcomes: _heaps(
            outcomes, later=()
        ),
        "every failure is tried again here, but a missing consent is still missing in an hour.": lambda outcomes: (
            _heaps(outcomes, later=range(1, 256))
        ),
        "numbers that nobody planned for are lost here, and with them the tenants.": lambda outcomes: _heaps(
            {tenant: code for tenant, code in outcomes.items() if code in (0, 2, 3, 4, 5)}
        ),
        "a process that was killed has a number below 0, and it is not done.": lambda outcomes: _heaps(
            {tenant: max(code, 0) for tenant, code in outcomes.items()}
        ),
    }
    for reason, outcomes in NIGHTS.items():
        expected = _heaps(outcomes)
        if wrong := gives(heaps, dict(outcomes), expected=expected, reason=f"{reason}.", mistakes=mistakes):
            return wrong
    return right("every tenant is in one heap, and a number that nobody knows wakes somebody.")


def _heaps(outcomes: Mapping[str, int], later: Any = (5,)) -> Heaps:
    found: Heaps = {"done": [], "later": [], "person": []}
    for tenant, code in sorted(outcomes.items()):
        found["done" if code == 0 else "later" if code in later else "person"].append(tenant)
    return found


def _in_the_order_they_came(outcomes: Mapping[str, int]) -> Heaps:
    return {heap: [tenant for tenant in outcomes if tenant in named] for heap, named in _heaps(outcomes).items()}


# --- 11-missing -----------------------------------------------------------------------------------------------------

FOLDERS = {
    "one has its file and one has none": (["adatum", "fabrikam"], ["fabrikam.jsonl"]),
    "a beginning of another name is no file of its own": (["fab", "fabrikam"], ["fabrikam.jsonl"]),
    "a copy that somebody has put aside is another file": (["adatum"], ["old-adatum.jsonl.bak"]),
    "a file with settings is not the file with the users": (["litware"], ["litware.json", "litware_app.json"]),
    "an ending of another name is none either": (["brikam", "fabrikam"], ["fabrikam.jsonl"]),
    "what a killed run left is not the file": (["adatum", "wingtip"], ["adatum.jsonl.x7.part", "wingtip.jsonl"]),
    "the order of the tenants stays": (["wingtip", "adatum", "margie"], ["adatum.jsonl"]),
    "nothing is there yet": (["wingtip", "adatum"], []),
    "everybody is there": (["adatum", "wingtip"], ["app.json", "wingtip.jsonl", "adatum.jsonl"]),
}


@exercise(
    "11-missing",
    given="""
def still_missing(tenants, files):
    return [tenant for tenant in tenants if tenant not in " ".join(files)]
""",
)
def missing(still_missing: Callable[[list[str], list[str]], list[str]], ask: Ask) -> Verdict:
    """still_missing(tenants, files) gives the tenants without a file TENANT.jsonl, in their order."""
    mistakes: dict[str, Callable[[list[str], list[str]], Any]] = {
        "these are the tenants that have a file; wanted are those without.": lambda tenants, files: (
            [tenant for tenant in tenants if f"{tenant}.jsonl" in files] or None
        ),
        "the names of the files end in .jsonl, and those of the tenants do not.": lambda tenants, files: [
            tenant for tenant in tenants if tenant not in files
        ],
        "a name that ends in .part belongs to a run that did not finish.": lambda tenants, files: [
            tenant for tenant in tenants if not any(file.startswith(f"{tenant}.jsonl") for file in files)
        ],
        "the order of the tenants is lost.": lambda tenants, files: sorted(
            tenant for tenant in tenants if f"{tenant}.jsonl" not in files
        ),
        "a longer name may end like a shorter one.": lambda tenants, files: [
            tenant for tenant in tenants if not any(file.endswith(f"{tenant}.jsonl") for file in files)
        ],
    }
    for reason, (tenants, files) in FOLDERS.items():
        done = [tenant for tenant in tenants if f"{tenant}.jsonl" not in files]
        if wrong := gives(still_missing, [*tenants], [*files], expected=done, reason=f"{reason}.", mistakes=mistakes):
            return wrong
    return right("whole names are compared, so a piece of a file or of a name counts for nothing.")


# --- 11-shared ------------------------------------------------------------------------------------------------------

ROWS = [
    ("adatum", "rolf@partner.example", "Guest"),
    ("fabrikam", "Rolf@Partner.example", "Guest"),
    ("wingtip", "rolf@partner.example", "Guest"),
    ("adatum", "claire@partner.example", "Guest"),
    ("adatum", "claire@partner.example", "Guest"),
    ("fabrikam", "anna@partner.example", "Guest"),
    ("wingtip", "anna@partner.example", "Guest"),
    ("adatum", "sam@fabrikam.example", "Member"),
    ("fabrikam", "sam@fabrikam.example", "Guest"),
    ("adatum", None, "Guest"),
    ("fabrikam", None, "Guest"),
]


@exercise("11-shared")
def shared(shared: Callable[[pd.DataFrame, int], list[str]], ask: Ask) -> Verdict:
    """shared(users, least) gives the addresses of guests in at least so many tenants, small and in order."""
    mistakes: dict[str, Callable[[pd.DataFrame, int], Any]] = {
        "an address that is in one tenant twice counts once.": lambda users, least: _shared(users, least, rows=True),
        "Rolf@Partner.example and rolf@partner.example are the same mailbox.": lambda users, least: _shared(
            users, least, as_written=True
        ),
        "sam@fabrikam.example is a member in one of the two tenants, and members do not count.": lambda users, least: (
            _shared(users, least, members=True)
        ),
        "at least means that exactly so many are enough.": lambda users, least: _shared(users, least + 1),
        "the address comes from a table, and the answer is a list in alphabetical order.": lambda users, least: _shared(
            users, least
        )[::-1],
        "these are all guests who are somewhere, however few tenants they are in.": lambda users, least: _shared(
            users, 1
        ),
    }
    for least in (2, 3, 1, 4):
        users = pd.DataFrame(ROWS, columns=["tenant", "mail", "userType"], index=range(10, 10 + len(ROWS)))
        expected = _shared(users, least)
        reason = "guests with an address, in so many different tenants or more."
        if wrong := gives(shared, users, least, expected=expected, reason=reason, mistakes=mistakes):
            return wrong
    return right("rows are not tenants, and one mailbox has one address however it is written.")


def _shared(
    users: pd.DataFrame, least: int, *, rows: bool = False, as_written: bool = False, members: bool = False
) -> list[str]:
    wanted = users if members else users[users["userType"] == "Guest"]
    keys = wanted["mail"] if as_written else wanted["mail"].str.lower()
    groups = wanted.groupby(keys)["tenant"]
    counts = groups.size() if rows else groups.nunique()
    return sorted(str(mail) for mail in counts[counts >= least].index)


# --- 11-travels -----------------------------------------------------------------------------------------------------

TRAVELS = {
    "tenant id": "it is in the address of every request, and a worker needs it",
    "client id": "it is in the link that you send to every customer",
    "path of the key file": "a path opens nothing, and without it a worker does not know where to look",
}
STAYS = {
    "private key": "whoever has it signs in as the app, in every tenant of every customer",
    "passphrase": "with it, a copy of the key file is as good as the key",
}


@exercise("11-travels")
def travels(may_travel: list[str], ask: Ask) -> Verdict:
    """Those of six things that may be in a job, in any order."""
    names = plain(may_travel)
    names = sorted(names) if isinstance(names, set) else names
    if wrong := of_type(names, list, "may_travel"):
        return wrong
    names = [name.strip().casefold() if isinstance(name, str) else name for name in names]
    if "access token" in names:
        status = ask.graph("/users?$top=1", ask.token([GRAPH_SCOPE])["access_token"]).status_code
        return not_yet(
            f"access token: whoever reads it on the way reads the users. The practice tenant answers {status} to it, "
            "from whichever machine."
        )
    for name, reason in STAYS.items():
        if name in names:
            return not_yet(f"{name}: {reason}.")
    for name, reason in TRAVELS.items():
        if name not in names:
            return not_yet(f"{name} is missing: {reason}.")
    if others := [name for name in names if name not in TRAVELS]:
        return not_yet(f"{others[0]!r} is none of the six.")
    return right("none of these opens anything for somebody who reads the scheduler's log.")
