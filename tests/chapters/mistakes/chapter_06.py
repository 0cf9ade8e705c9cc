"""Wrong answers to the exercises of chapter 06, each with words of the hint it must get."""

MISTAKES = {
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
        "counts": ("def guests(users):\n    return int((users['userType'] == 'Guest').sum())", "table of rows"),
        "writes in lower case": ("def guests(users):\n    return users[users['userType'] == 'guest']", "are guests"),
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
