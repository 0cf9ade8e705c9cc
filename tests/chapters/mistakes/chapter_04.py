"""Named wrong answers to the exercises of chapter 04: what the mistake is -> (the answer, words its hint contains)."""

MISTAKES = {
    "04-scope": {
        "a string instead of a list": (
            'def graph_scope(resource_uri):\n    return f"{resource_uri}/.default"\n',
            "this is a str",
        ),
        "a tuple instead of a list": (
            'def graph_scope(resource_uri):\n    return (f"{resource_uri}/.default",)\n',
            "this is a tuple",
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
            "this is a set",
        ),
        "not sorted": (
            "def missing_roles(claims, needed):\n"
            '    return [role for role in needed if role not in claims.get("roles", [])]\n',
            "not sorted",
        ),
        "scp counted too": (
            "def missing_roles(claims, needed):\n"
            '    held = claims.get("roles", []) + claims.get("scp", "").split()\n'
            "    return sorted(set(needed) - set(held))\n",
            "signed-in user",
        ),
        "what the token has": (
            'def missing_roles(claims, needed):\n    return sorted(set(needed) & set(claims.get("roles", [])))\n',
            "although the token has it",
        ),
        "roles that nobody needs": (
            'def missing_roles(claims, needed):\n    return sorted(set(needed) ^ set(claims.get("roles", [])))\n',
            "nobody needs",
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
