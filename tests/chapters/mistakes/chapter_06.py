"""Known answers to the exercises of chapter 06, right and wrong ones: tests/support/exercises.py says how."""


def _filter(text: str) -> str:
    return f"def surname_filter(surname):\n    text = {text}\n    return f\"surname eq '{{text}}'\"\n"


RIGHT = {
    "06-last": {
        "a float": "choice = 3.0",
        "a number of numpy": "import numpy\nchoice = numpy.int64(3)",
        "counted": "choice = len('no nextLink there'.split())",
    },
    "06-filter": {
        "split and joined": _filter('"\'\'".join(surname.split("\'"))'),
        "a regular expression": _filter('__import__("re").sub("\'", r"\\g<0>\\g<0>", surname)'),
        "letter by letter": _filter('"".join(letter * 2 if letter == chr(39) else letter for letter in surname)'),
        "translated, with format": (
            "def surname_filter(surname):\n"
            "    return \"surname eq '{}'\".format(surname.translate({39: chr(39) * 2}))\n"
        ),
    },
    "06-guests": {
        "query": "def guests(users):\n    return users.query(\"userType == 'Guest'\")",
        "loc, eq and another order": (
            "def guests(users):\n    found = users.loc[users.userType.eq('Guest')]\n"
            "    return found.sort_values('displayName', ascending=False)"
        ),
        "isin, with a new index": (
            "def guests(users):\n    found = users[users['userType'].isin(['Guest'])]\n"
            "    return found.reset_index(drop=True)"
        ),
        "a group": "def guests(users):\n    return users.groupby('userType').get_group('Guest').copy()",
        "missing values filled in a copy": (
            "def guests(users):\n    known = users.assign(userType=users['userType'].fillna('unknown'))\n"
            "    return known[known['userType'] == 'Guest']"
        ),
    },
    "06-read-all": {
        "a generator": (
            "def read_all(get, url):\n    while url:\n        page = get(url)\n        yield from page['value']\n"
            "        url = page.get('@odata.nextLink')"
        ),
        "recursion": (
            "def read_all(get, url):\n    page = get(url)\n    more = page.get('@odata.nextLink')\n"
            "    return page['value'] + (read_all(get, more) if more else [])"
        ),
        "a tuple that grows, and break": (
            "def read_all(get, url):\n    rows = ()\n    while True:\n        page = get(url)\n"
            "        rows += tuple(page['value'])\n        if '@odata.nextLink' not in page:\n            break\n"
            "        url = page['@odata.nextLink']\n    return rows"
        ),
    },
}

MISTAKES = {
    "06-last": {
        "a shorter page": ("choice = 1", "Graph promises no size"),
        "an empty page": ("choice = 2", "usually has users"),
        "a hundred pages": ("choice = 4", "missing silently"),
        "a text": ('choice = "3"', "without quotation marks"),
        "the condition itself": ('choice = "@odata.nextLink"', "have the numbers 1 to 4"),
    },
    "06-filter": {
        "a backslash, as in Python": (_filter('surname.replace("\'", "\\\\\'")'), "and Graph answers 400"),
        "only the first one": (_filter('surname.replace("\'", "\'\'", 1)'), "for D'Angelo-O'Neill it gives"),
        "left out": (_filter('surname.replace("\'", "")'), "'OBrien', and Graph answers 200 with 0"),
        "as in an address": (_filter('__import__("urllib.parse").parse.quote(surname)'), "O%27Brien"),
        "two kinds of quotation mark": (_filter("surname.replace(\"'\", '\"')"), 'O"Brien'),
        "the two twice": (_filter("surname.replace(\"'\", \"''''\")"), "O''''Brien"),
        "in Ireland only": (
            _filter('surname.replace("O\'", "O\'\'")'),
            "for D'Angelo-O'Neill it gives surname eq 'D'Angelo-O''Neill'",
        ),
        "the whole text doubled": (
            'def surname_filter(surname):\n    return f"surname eq \'{surname}\'".replace("\'", "\'\'")\n',
            "surname eq ''Smith''",
        ),
        "in pieces": (_filter('surname.split("\'")'), "surname eq '['Smith']'"),
    },
    "06-guests": {
        "looks for #EXT# in the name": (
            "def guests(users):\n    return users[users['userPrincipalName'].str.contains('#EXT#')]",
            "keeps #EXT#",
        ),
        "takes everybody who is not a member": (
            "def guests(users):\n    return users[users['userType'] != 'Member']",
            "is missing is among them",
        ),
        "gives the condition instead of the rows": (
            "def guests(users):\n    return users['userType'] == 'Guest'",
            "put it into users[...]",
        ),
        "the names only": (
            "def guests(users):\n    return users.loc[users['userType'] == 'Guest', ['displayName']]",
            "whole rows",
        ),
        "the notebook's own table": (
            "def guests(people):\n    return users[users['userType'] == 'Guest']",
            "not the notebook's own table",
        ),
        "counts": ("def guests(users):\n    return int((users['userType'] == 'Guest').sum())", "table of rows"),
        "writes in lower case": (
            "def guests(users):\n    return users[users['userType'] == 'guest']",
            "are guests, and",
        ),
    },
    "06-read-all": {
        "reads one page": ("def read_all(get, url):\n    return get(url)['value']", "after the first page"),
        "stops at an empty page": (
            "def read_all(get, url):\n    rows = []\n    while url:\n        page = get(url)\n"
            "        if not page['value']:\n            break\n        rows.extend(page['value'])\n"
            "        url = page.get('@odata.nextLink')\n    return rows",
            "at an empty page",
        ),
        "collects pages": (
            "def read_all(get, url):\n    rows = []\n    while url:\n        page = get(url)\n"
            "        rows.append(page)\n        url = page.get('@odata.nextLink')\n    return rows",
            "these are pages",
        ),
        "appends instead of extending": (
            "def read_all(get, url):\n    rows = []\n    while url:\n        page = get(url)\n"
            "        rows.append(page['value'])\n        url = page.get('@odata.nextLink')\n    return rows",
            "append() puts each page",
        ),
        "at most three pages": (
            "def read_all(get, url):\n    rows = []\n    for _ in range(3):\n        page = get(url)\n"
            "        rows.extend(page['value'])\n        url = page.get('@odata.nextLink')\n"
            "        if not url:\n            break\n    return rows",
            "it stops after 3 pages",
        ),
        "asks with a session of its own": (
            "def read_all(get, url):\n    import requests\n    return requests.get(url).json()['value']",
            "call get(url)",
        ),
        "keeps the last page only": (
            "def read_all(get, url):\n    while url:\n        page = get(url)\n        rows = page['value']\n"
            "        url = page.get('@odata.nextLink')\n    return rows",
            "keep every page",
        ),
        "expects a link on every page": (
            "def read_all(get, url):\n    rows = []\n    while True:\n        page = get(url)\n"
            "        rows.extend(page['value'])\n        url = page['@odata.nextLink']",
            "KeyError",
        ),
        "asks for the first page again": (
            "def read_all(get, url):\n    rows = []\n    while '@odata.nextLink' in get(url):\n"
            "        rows.extend(get(url)['value'])\n    return rows",
            "asked for twice",
        ),
    },
}
