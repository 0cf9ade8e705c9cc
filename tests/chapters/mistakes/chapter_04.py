"""Known answers to the exercises of chapter 04, right and wrong ones: tests/support/exercises.py says how."""

_HELD = "def roles_held(claims):\n"


def _held(roles: str) -> str:
    return f"{_HELD}    roles = {roles}\n    return sorted(roles)\n"


RIGHT = {
    "04-choose": {
        "a float": "choice = 3.0",
        "a number of numpy": "import numpy\nchoice = numpy.int64(3)",
        "looked for": "choice = 1 + ['User', 'Graph/User', '.default', 'two'].index('.default')",
    },
    "04-held": {
        "a condition": _held('claims["roles"] if "roles" in claims else ()'),
        "or": _held('claims.get("roles") or []'),
        "a loop": (
            f"{_HELD}    found = []\n    for name, value in claims.items():\n        if name == 'roles':\n"
            "            found.extend(value)\n    return tuple(sorted(found))\n"
        ),
        "an exception caught": (
            f"{_HELD}    try:\n        return sorted(claims['roles'])\n    except KeyError:\n        return []\n"
        ),
    },
    "04-scope": {
        "a set made a list": 'def graph_scope(resource_uri):\n    return list({f"{resource_uri}/.default"})\n',
        "joined": 'def graph_scope(resource_uri):\n    return ["/".join([resource_uri, ".default"])]\n',
        "a list that grows": (
            "def graph_scope(resource_uri):\n"
            "    scopes = list()\n"
            '    scopes.append(resource_uri + "/" + ".default")\n'
            "    return scopes\n"
        ),
    },
    "04-roles": {
        "a comprehension": (
            "def missing_roles(claims, needed):\n"
            '    return [role for role in sorted(needed) if role not in (claims.get("roles") or ())]\n'
        ),
        "a loop, sorted in place": (
            "def missing_roles(claims, needed):\n"
            "    missing = []\n"
            "    for role in needed:\n"
            '        if "roles" not in claims or role not in claims["roles"]:\n'
            "            missing += [role]\n"
            "    missing.sort()\n"
            "    return missing\n"
        ),
        "an index of pandas": (
            "def missing_roles(claims, needed):\n"
            "    import pandas\n"
            '    return pandas.Index(needed).difference(claims.get("roles", [])).sort_values()\n'
        ),
        "a tuple, and the argument emptied": (
            "def missing_roles(claims, needed):\n"
            '    held = claims.pop("roles", [])\n'
            "    return tuple(sorted(filter(lambda role: role not in held, needed)))\n"
        ),
    },
}

MISTAKES = {
    "04-choose": {
        "a permission": ("choice = 1", "for User.Read.All Entra ID"),
        "a permission of a resource": ("choice = 2", "for https://graph.microsoft.com/User.Read.All Entra ID"),
        "two resources": ("choice = 4", "AADSTS70011"),
        "a text": ('choice = "3"', "without quotation marks"),
        "the scope itself": ('choice = "https://graph.microsoft.com/.default"', "have the numbers 1 to 4"),
    },
    "04-held": {
        "the claim taken for granted": (_held('claims["roles"]'), "raises KeyError"),
        "nothing to fall back on": (_held('claims.get("roles")'), "raises TypeError"),
        "scp": (_held('claims.get("scp", "").split()'), "gives [], expected ['User.Read.All']"),
        "scp as well": (
            _held('claims.get("roles", []) + claims.get("scp", "").split()'),
            "a daemon has no user",
        ),
        "the first one only": (_held('claims.get("roles", [])[:1]'), "several roles"),
        "a word for nothing": (_held('claims.get("roles", ["none"])'), "an empty list says so"),
        "the names of the claims": (_held("claims"), "['idtyp', 'roles']"),
        "the letters of a role": (_held('claims.get("roles", [""])[0]'), "['.', '.'"),
        "None when there is nothing": (
            f'{_HELD}    roles = claims.get("roles")\n    return sorted(roles) if roles else None\n',
            "gives back None",
        ),
    },
    "04-scope": {
        "a string instead of a list": (
            'def graph_scope(resource_uri):\n    return f"{resource_uri}/.default"\n',
            "this is a str",
        ),
        "a tuple instead of a list": (
            'def graph_scope(resource_uri):\n    return (f"{resource_uri}/.default",)\n',
            "for a tuple it raises AssertionError",
        ),
        "a dictionary instead of a list": (
            'def graph_scope(resource_uri):\n    return {"scope": f"{resource_uri}/.default"}\n',
            "gives a dict, expected a list",
        ),
        "a slash taken away": (
            'def graph_scope(resource_uri):\n    return [resource_uri.rstrip("/") + "/.default"]\n',
            "keep it as it is given",
        ),
        "one permission instead of .default": (
            'def graph_scope(resource_uri):\n    return [f"{resource_uri}/User.Read.All"]\n',
            "AADSTS1002012",
        ),
        "no slash before .default": (
            'def graph_scope(resource_uri):\n    return [f"{resource_uri}.default"]\n',
            "AADSTS",
        ),
        "two slashes": (
            'def graph_scope(resource_uri):\n    return [f"{resource_uri}//.default"]\n',
            "a slash, .default",
        ),
        "two resources at once": (
            "def graph_scope(resource_uri):\n"
            '    return [f"{resource_uri}/.default", "https://vault.azure.net/.default"]\n',
            "AADSTS70011",
        ),
        "an empty list": ("def graph_scope(resource_uri):\n    return []\n", "AADSTS900144"),
        "Graph, whatever the resource": (
            'def graph_scope(resource_uri):\n    return ["https://graph.microsoft.com/.default"]\n',
            "use resource_uri",
        ),
        "no return": ('def graph_scope(resource_uri):\n    [f"{resource_uri}/.default"]\n', "return"),
    },
    "04-roles": {
        "the claim taken for granted": (
            "def missing_roles(claims, needed):\n"
            '    return sorted(role for role in needed if role not in claims["roles"])\n',
            "no claim roles",
        ),
        "a set instead of a list": (
            'def missing_roles(claims, needed):\n    return set(needed) - set(claims.get("roles", []))\n',
            "gives a set",
        ),
        "not sorted": (
            "def missing_roles(claims, needed):\n"
            '    return [role for role in needed if role not in claims.get("roles", [])]\n',
            "the order is not",
        ),
        "scp counted too": (
            "def missing_roles(claims, needed):\n"
            '    held = claims.get("roles", []) + claims.get("scp", "").split()\n'
            "    return sorted(set(needed) - set(held))\n",
            "signed-in user",
        ),
        "what the token has": (
            'def missing_roles(claims, needed):\n    return sorted(set(needed) & set(claims.get("roles", [])))\n',
            "reports what the token has",
        ),
        "roles that nobody needs": (
            'def missing_roles(claims, needed):\n    return sorted(set(needed) ^ set(claims.get("roles", [])))\n',
            "nobody needs",
        ),
        "something, even when nothing is missing": (
            "def missing_roles(claims, needed):\n"
            '    return sorted(set(needed) - set(claims.get("roles", []))) or ["nothing"]\n',
            "an empty list says so",
        ),
        "None when nothing is missing": (
            "def missing_roles(claims, needed):\n"
            '    return sorted(set(needed) - set(claims.get("roles", []))) or None\n',
            "gives back None, expected []",
        ),
        "a part of a text is enough": (
            "def missing_roles(claims, needed):\n"
            '    held = " ".join(claims.get("roles", []))\n'
            "    return sorted(role for role in needed if role not in held)\n",
            "compare whole names",
        ),
        "what sort() gives back": (
            "def missing_roles(claims, needed):\n"
            '    missing = list(set(needed) - set(claims.get("roles", [])))\n'
            "    return missing.sort()\n",
            "sorted() gives the sorted list",
        ),
        "how many": (
            'def missing_roles(claims, needed):\n    return len(set(needed) - set(claims.get("roles", [])))\n',
            "gives an int, expected a list",
        ),
        "an endless loop": (
            "def missing_roles(claims, needed):\n"
            "    missing = []\n"
            "    while len(missing) < 4:\n"
            "        missing = [role for role in needed if role not in claims.get('roles', [])]\n"
            "    return missing\n",
            "has not ended after",
        ),
        "nothing missing without the claim": (
            "def missing_roles(claims, needed):\n"
            '    if "roles" not in claims:\n'
            "        return []\n"
            '    return sorted(set(needed) - set(claims["roles"]))\n',
            "lacks every needed role",
        ),
    },
}
