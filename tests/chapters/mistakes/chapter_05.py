"""Known answers to the exercises of chapter 05, right and wrong ones: tests/support/exercises.py says how."""

_RESULT = "def token_result(app, scopes):\n"

RIGHT = {
    "05-silent": {
        "silent first, as in older samples": (
            f"{_RESULT}    silent = app.acquire_token_silent(scopes, account=None)\n"
            "    return silent or app.acquire_token_for_client(scopes)\n"
        ),
        "the scopes by name, in a new list": f"{_RESULT}    return app.acquire_token_for_client(scopes=[*scopes])\n",
        "a copy of the answer": f"{_RESULT}    return dict(app.acquire_token_for_client(scopes))\n",
    },
    "05-sources": {
        "a tuple": 'sources = ("identity_provider", "cache", "identity_provider")',
        "split": 'sources = "identity_provider cache identity_provider".split()',
        "in capitals": 'sources = ["Identity_Provider", "CACHE", "Identity_Provider"]',
        "a Series": 'import pandas\nsources = pandas.Series(["identity_provider", "cache", "identity_provider"])',
    },
    "05-count-requests": {
        "a list of the moments": (
            "def count_requests(starts, lifetime):\n"
            "    asked = []\n"
            "    for now in starts:\n"
            "        if not asked or now > asked[-1] + lifetime - 300:\n"
            "            asked.append(now)\n"
            "    return len(asked)\n"
        ),
        "an integer of numpy": (
            "def count_requests(starts, lifetime):\n"
            "    import numpy\n"
            '    requests, ends = numpy.int64(0), float("-inf")\n'
            "    for now in starts:\n"
            "        if not ends - now >= 300:\n"
            "            requests, ends = requests + 1, now + lifetime\n"
            "    return requests\n"
        ),
        "recursion": (
            "def count_requests(starts, lifetime):\n"
            "    if not starts:\n"
            "        return 0\n"
            "    end = starts[0] + lifetime\n"
            "    return 1 + count_requests([now for now in starts[1:] if end - now < 300], lifetime)\n"
        ),
        "the list used up": (
            "def count_requests(starts, lifetime):\n"
            "    requests, ends = 0, 0\n"
            "    while starts:\n"
            "        now = starts.pop(0)\n"
            "        if ends - now < 300:\n"
            "            requests, ends = requests + 1, now + lifetime\n"
            "    return requests\n"
        ),
    },
    "05-get-token": {
        "the two allowed values logged": (
            "def get_token(app, scopes):\n"
            "    import logging\n"
            "    result = app.acquire_token_for_client(scopes)\n"
            '    if "error" in result:\n'
            '        logging.error("%s %s", result["error"], result["correlation_id"])\n'
            '        raise RuntimeError(result["error"] + " " + result["correlation_id"])\n'
            '    return result["access_token"]\n'
        ),
        "a keyword argument and get": (
            "def get_token(app, scopes):\n"
            "    answer = app.acquire_token_for_client(scopes=list(scopes))\n"
            '    token = answer.get("access_token")\n'
            "    if not token:\n"
            "        raise RuntimeError((answer.get('error'), answer.get('correlation_id')))\n"
            "    return token\n"
        ),
        "an error of its own kind": (
            "class NoToken(RuntimeError):\n    pass\n"
            "def get_token(app, scopes):\n"
            "    result = app.acquire_token_for_client(scopes)\n"
            "    try:\n"
            '        return result["access_token"]\n'
            "    except KeyError:\n"
            "        raise NoToken('{error} ({correlation_id})'.format(**result)) from None\n"
        ),
    },
}

MISTAKES = {
    "05-silent": {
        "silent, with the first of no accounts": (
            f"{_RESULT}    return app.acquire_token_silent(scopes, account=next(iter(app.get_accounts()), None))\n",
            "looks for a person's account",
        ),
        "the token's text": (
            f"{_RESULT}    return app.acquire_token_for_client(scopes)['access_token']\n",
            "whole answer is wanted",
        ),
        "an app object of its own": (
            f"{_RESULT}    return new_app().acquire_token_for_client(scopes)\n",
            "has no token afterwards",
        ),
        "always a new token": (
            f"{_RESULT}    app.remove_tokens_for_client()\n    return app.acquire_token_for_client(scopes)\n",
            "leave the cache as it is",
        ),
        "Graph, whatever the scopes": (f"{_RESULT}    return app.acquire_token_for_client(SCOPES)\n", "hand on scopes"),
        "a list in a list": (f"{_RESULT}    return app.acquire_token_for_client([scopes])\n", "raises TypeError"),
        "is there a token": (
            f"{_RESULT}    return 'access_token' in app.acquire_token_for_client(scopes)\n",
            "gives a bool",
        ),
    },
    "05-sources": {
        "used until the last minute": (
            'sources = ["identity_provider", "cache", "cache"]',
            "with less than five MSAL asks",
        ),
        "asked every time": ('sources = ["identity_provider"] * 3', "gives it out again"),
        "an early second token": (
            'sources = ["identity_provider", "identity_provider", "cache"]',
            "still good for 20 minutes",
        ),
        "never asked": ('sources = ["cache"] * 3', "its cache is empty"),
        "from the cache at the start": ('sources = ["cache", "cache", "identity_provider"]', "was just made"),
        "two answers": ('sources = ["identity_provider", "cache"]', "these are 2 answers"),
        "one gap left": ('sources = ["identity_provider", "cache", ...]', "there is still a ..."),
        "other words": ('sources = ["Entra ID", "cache", "Entra ID"]', "each of the three is"),
        "a text": ('sources = "identity_provider, cache, identity_provider"', "gives a str, expected a list"),
    },
    "05-count-requests": {
        "every call a request": (
            "def count_requests(starts, lifetime):\n    return len(starts)\n",
            "looks into its cache first",
        ),
        "one token for ever": (
            "def count_requests(starts, lifetime):\n    return min(len(starts), 1)\n",
            "does not last forever",
        ),
        "used until the last second": (
            "def count_requests(starts, lifetime):\n"
            "    requests, ends = 0, 0\n"
            "    for now in starts:\n"
            "        if ends <= now:\n"
            "            requests, ends = requests + 1, now + lifetime\n"
            "    return requests\n",
            "last five minutes",
        ),
        "five seconds instead of five minutes": (
            "def count_requests(starts, lifetime):\n"
            "    requests, ends = 0, 0\n"
            "    for now in starts:\n"
            "        if ends - now < 5:\n"
            "            requests, ends = requests + 1, now + lifetime\n"
            "    return requests\n",
            "300, not 5",
        ),
        "a fixed grid": (
            "def count_requests(starts, lifetime):\n"
            "    return len({start // max(lifetime - 300, 1) for start in starts})\n",
            "fixed grid",
        ),
        "the first moment never counted": (
            "def count_requests(starts, lifetime):\n"
            "    requests, ends = 0, starts[0] + lifetime\n"
            "    for now in starts:\n"
            "        if ends - now < 300:\n"
            "            requests, ends = requests + 1, now + lifetime\n"
            "    return requests\n",
            "remember when the newest token ends",
        ),
        "short tokens used again": (
            "def count_requests(starts, lifetime):\n"
            "    requests, ends, margin = 0, 0, min(300, lifetime // 2)\n"
            "    for now in starts:\n"
            "        if ends - now < margin:\n"
            "            requests, ends = requests + 1, now + lifetime\n"
            "    return requests\n",
            "never used a second time",
        ),
        "the end counted from 0": (
            "def count_requests(starts, lifetime):\n"
            "    requests, ends = 0, 0\n"
            "    for now in starts:\n"
            "        if ends - now < 300:\n"
            "            requests += 1\n"
            "            ends = lifetime\n"
            "    return requests\n",
            "not at the moment lifetime",
        ),
        "one gap left": (
            "def count_requests(starts, lifetime):\n"
            "    requests, ends = 0, 0\n"
            "    for now in starts:\n"
            "        if ends - now < 300:\n"
            "            requests += 1\n"
            "            ends = ...\n"
            "    return requests\n",
            "there is still a ...",
        ),
        "a float": (
            "def count_requests(starts, lifetime):\n    return 1 + (starts[-1] - starts[0]) / (lifetime - 300)\n",
            "expected a whole number",
        ),
        "no return": ("def count_requests(starts, lifetime):\n    len(starts)\n", "return"),
    },
    "05-get-token": {
        "the whole dict": (
            "def get_token(app, scopes):\n    return app.acquire_token_for_client(scopes)\n",
            "the whole dict",
        ),
        "taken without a look": (
            'def get_token(app, scopes):\n    return app.acquire_token_for_client(scopes)["access_token"]\n',
            "look before you take",
        ),
        "silent only": (
            'def get_token(app, scopes):\n    return app.acquire_token_silent(scopes, account=None)["access_token"]\n',
            "take acquire_token_for_client",
        ),
        "None when refused": (
            'def get_token(app, scopes):\n    return app.acquire_token_for_client(scopes).get("access_token")\n',
            "go on without a token",
        ),
        "the error as the token": (
            "def get_token(app, scopes):\n"
            "    result = app.acquire_token_for_client(scopes)\n"
            '    return result.get("access_token", result.get("error"))\n',
            "raise RuntimeError instead",
        ),
        "another exception": (
            "def get_token(app, scopes):\n"
            "    result = app.acquire_token_for_client(scopes)\n"
            '    if "access_token" not in result:\n'
            "        raise ValueError(f\"{result['error']} {result['correlation_id']}\")\n"
            '    return result["access_token"]\n',
            "RuntimeError is wanted",
        ),
        "no correlation id": (
            "def get_token(app, scopes):\n"
            "    result = app.acquire_token_for_client(scopes)\n"
            '    if "access_token" not in result:\n'
            '        raise RuntimeError(result["error"])\n'
            '    return result["access_token"]\n',
            "value of correlation_id",
        ),
        "no error": (
            "def get_token(app, scopes):\n"
            "    result = app.acquire_token_for_client(scopes)\n"
            '    if "access_token" not in result:\n'
            "        raise RuntimeError(f\"no token, correlation id {result['correlation_id']}\")\n"
            '    return result["access_token"]\n',
            "value of error",
        ),
        "the credential in the message": (
            "def get_token(app, scopes):\n"
            "    result = app.acquire_token_for_client(scopes)\n"
            '    if "access_token" not in result:\n'
            "        raise RuntimeError(f\"{result['error']} {result['correlation_id']} {app.client_credential}\")\n"
            '    return result["access_token"]\n',
            "holds the credential",
        ),
        "the token printed": (
            "def get_token(app, scopes):\n"
            "    result = app.acquire_token_for_client(scopes)\n"
            "    print(result)\n"
            '    if "access_token" not in result:\n'
            "        raise RuntimeError(f\"{result['error']} {result['correlation_id']}\")\n"
            '    return result["access_token"]\n',
            "it prints something",
        ),
        "Bearer before it": (
            "def get_token(app, scopes):\n"
            '    return "Bearer " + app.acquire_token_for_client(scopes)["access_token"]\n',
            "Graph answers 401",
        ),
        "a line end behind it": (
            'def get_token(app, scopes):\n    return app.acquire_token_for_client(scopes)["access_token"] + "\\n"\n',
            "a header cannot hold it",
        ),
        "the token logged": (
            "def get_token(app, scopes):\n"
            "    import logging\n"
            "    result = app.acquire_token_for_client(scopes)\n"
            '    logging.warning("%s", result)\n'
            '    if "access_token" not in result:\n'
            "        raise RuntimeError(f\"{result['error']} {result['correlation_id']}\")\n"
            '    return result["access_token"]\n',
            "it logs a token",
        ),
        "a new app object inside": (
            "def get_token(app, scopes):\n"
            "    credential = {'private_key': bench.private_key, 'public_certificate': bench.certificate}\n"
            "    app = msal.ConfidentialClientApplication(\n"
            "        app.client_id, authority=bench.authority, client_credential=credential,\n"
            "        http_client=bench.session, instance_discovery=False)\n"
            "    return app.acquire_token_for_client(scopes)['access_token']\n",
            "make no new one inside",
        ),
        "the cache emptied each time": (
            "def get_token(app, scopes):\n"
            "    app.remove_tokens_for_client()\n"
            "    result = app.acquire_token_for_client(scopes)\n"
            '    if "access_token" not in result:\n'
            "        raise RuntimeError(f\"{result['error']} {result['correlation_id']}\")\n"
            '    return result["access_token"]\n',
            "leave the cache alone",
        ),
        "Graph, whatever the scopes": (
            "def get_token(app, scopes):\n"
            '    result = app.acquire_token_for_client(["https://graph.microsoft.com/.default"])\n'
            '    if "access_token" not in result:\n'
            "        raise RuntimeError(f\"{result['error']} {result['correlation_id']}\")\n"
            '    return result["access_token"]\n',
            "hand on scopes",
        ),
    },
}
