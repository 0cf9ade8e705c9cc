"""Known answers to the exercises of chapter 10, right and wrong ones: tests/support/exercises.py says how."""

_RIGHT = """def to_environment(parameters):
    host, _, tenant = parameters["authority"].rstrip("/").rpartition("/")
    settings = {
        "AZURE_AUTHORITY_HOST": host,
        "AZURE_TENANT_ID": tenant,
        "AZURE_CLIENT_ID": parameters["client_id"],
        "AZURE_CLIENT_CERTIFICATE_PATH": parameters.get("private_key_file"),
        "AZURE_CLIENT_SECRET": parameters.get("secret"),
        "GRAPH_ENDPOINT": parameters["endpoint"].removesuffix("/users"),
    }
    return {name: value for name, value in settings.items() if value}
"""


def _instead(old: str, new: str) -> str:
    assert old in _RIGHT
    return _RIGHT.replace(old, new)


_STEP = "def next_step(exit_code, attempt):\n"


def _where(users: str = '"stdout"', warning: str = '"stderr"', reason: str = '"stderr"') -> str:
    return (
        f'where = {{"the users": {users}, "a warning that the certificate ends soon": {warning}, '
        f'"the reason why it failed": {reason}}}\n'
    )


def _failed(answer: str) -> str:
    return f"def has_failed(exit_code):\n    return {answer}\n"


RIGHT = {
    "10-where": {
        "in capitals, with spaces": _where('"STDOUT"', '" stderr "', '"Stderr"'),
        "another order, zipped": (
            'names = ["the reason why it failed", "a warning that the certificate ends soon", "the users"]\n'
            'where = dict(zip(names, ["stderr"] * 2 + ["stdout"]))\n'
        ),
        "a mapping that is no dict": (
            f"{_where()}from types import MappingProxyType\nwhere = MappingProxyType(where)\n"
        ),
    },
    "10-failed": {
        "as a truth value": _failed("bool(exit_code)"),
        "not equal": _failed("not exit_code == 0"),
        "a boolean of numpy": _failed("__import__('numpy').not_equal(exit_code, 0)"),
        "without its sign": _failed("abs(exit_code) > 0"),
    },
    "10-parameters": {
        "urlsplit": _instead(
            'host, _, tenant = parameters["authority"].rstrip("/").rpartition("/")',
            "from urllib.parse import urlsplit\n"
            '    parts = urlsplit(parameters["authority"])\n'
            '    host, tenant = f"{parts.scheme}://{parts.netloc}", parts.path.strip("/")',
        ),
        "rsplit and if": _instead(
            'host, _, tenant = parameters["authority"].rstrip("/").rpartition("/")',
            'host, tenant = parameters["authority"].strip("/").rsplit("/", 1)',
        ),
        "a mapping that is no dict, taken apart": _instead(
            "return {name: value for name, value in settings.items() if value}",
            "from types import MappingProxyType\n"
            "    parameters.clear()\n"
            "    return MappingProxyType(dict(filter(lambda pair: pair[1] is not None, settings.items())))",
        ),
    },
    "10-exit-code": {
        "match": (
            f"{_STEP}    match exit_code, attempt:\n        case 0, _:\n            return 'ok'\n"
            "        case 5, 1 | 2:\n            return 'retry'\n        case _:\n            return 'alert'\n"
        ),
        "one expression": (
            f"{_STEP}    return 'ok' if not exit_code else 'retry' if exit_code == 5 and attempt <= 2 else 'alert'\n"
        ),
        "a kind of str": (
            "from enum import StrEnum\nclass Step(StrEnum):\n    OK, RETRY, ALERT = 'ok', 'retry', 'alert'\n"
            f"{_STEP}    if exit_code == 5 and attempt in range(3):\n        return Step.RETRY\n"
            "    return Step.ALERT if exit_code else Step.OK\n"
        ),
    },
}

MISTAKES = {
    "10-where": {
        "the users beside the messages": (_where(users='"stderr"'), "users.json stays empty"),
        "the warning among the data": (_where(warning='"stdout"'), "cannot read that file"),
        "the reason among the data": (_where(reason='"stdout"'), "nobody sees it"),
        "one gap left": (_where(reason="..."), "there is still a ..."),
        "another word": (_where(warning='"the screen"'), "expected 'stdout' or 'stderr'"),
        "a line lost": ('where = {"the users": "stdout"}\n', "is gone from the dictionary"),
        "a list": ('where = ["stdout", "stderr", "stderr"]\n', "gives a list, expected a dictionary"),
    },
    "10-failed": {
        "0 as well": (_failed("exit_code >= 0"), "as it does when memory runs out"),
        "only what a signal ended": (_failed("exit_code < 0"), "Graph refused"),
        "the one number of that night": (_failed("exit_code > 0 or exit_code == -9"), "signal 15"),
        "the numbers of the table": (_failed("exit_code in (2, 3, 4, 5) or exit_code < 0"), "Python itself"),
        "one byte only": (_failed("-128 < exit_code < 128 and exit_code != 0"), "128 + 9"),
        "always": (_failed("True"), "0 is the one number"),
        "the number itself": (_failed("exit_code"), "expected True or False"),
        "a text": (_failed("'failed' if exit_code else 'ok'"), "gives a str"),
    },
    "10-parameters": {
        "the endpoint with its path": (_instead('.removesuffix("/users")', ""), "/users/users"),
        "an ending cut that is not there": (
            _instead('["endpoint"].removesuffix("/users")', '["endpoint"].rpartition("/")[0]'),
            "only if it is there",
        ),
        "a slash at the end": (_instead('.rstrip("/")', ""), "AZURE_TENANT_ID is missing"),
        "the first slash": (
            _instead('.rstrip("/").rpartition("/")', '.rstrip("/").partition("/")'),
            "AZURE_AUTHORITY_HOST is 'https:'",
        ),
        "the whole authority as the tenant": (
            _instead('"AZURE_TENANT_ID": tenant', '"AZURE_TENANT_ID": parameters["authority"]'),
            "what comes after the host",
        ),
        "a key that may be absent": (_instead('.get("secret")', '["secret"]'), "there may be no 'secret'"),
        "empty settings": (
            _instead("{name: value for name, value in settings.items() if value}", "settings"),
            "makes an empty setting of it",
        ),
        "the secret forgotten": (
            _instead('        "AZURE_CLIENT_SECRET": parameters.get("secret"),\n', ""),
            "AZURE_CLIENT_SECRET is missing",
        ),
        "the thumbprint as well": (
            _instead(
                '"AZURE_TENANT_ID"', '"AZURE_THUMBPRINT": parameters.get("thumbprint"),\n        "AZURE_TENANT_ID"'
            ),
            "AZURE_THUMBPRINT is in it",
        ),
        "a host without its port": (
            _instead('"AZURE_AUTHORITY_HOST": host', '"AZURE_AUTHORITY_HOST": "https://" + host[8:].split(":")[0]'),
            "a host with a port",
        ),
        "text instead of a dictionary": (
            _instead(
                "{name: value for name, value in settings.items() if value}",
                '"\\n".join(f"{name}={value}" for name, value in settings.items() if value)',
            ),
            "gives a str",
        ),
    },
    "10-exit-code": {
        "every failure is tried again": (
            f'{_STEP}    return "ok" if exit_code == 0 else "retry" if attempt < 3 else "alert"\n',
            "without consent",
        ),
        "Entra's refusal is tried again": (
            f'{_STEP}    if exit_code == 0:\n        return "ok"\n'
            '    return "retry" if exit_code in (3, 5) and attempt < 3 else "alert"\n',
            "the same certificate",
        ),
        "every failure wakes somebody": (f'{_STEP}    return "alert" if exit_code else "ok"\n', "busy once"),
        "for ever": (
            f'{_STEP}    return {{0: "ok", 5: "retry"}}.get(exit_code, "alert")\n',
            "tried again forever",
        ),
        "one attempt too many": (
            f'{_STEP}    if exit_code == 0:\n        return "ok"\n'
            '    return "retry" if exit_code == 5 and attempt <= 3 else "alert"\n',
            "the third attempt is the last",
        ),
        "only the numbers in the table": (
            f'{_STEP}    if exit_code == 5:\n        return "retry" if attempt < 3 else "alert"\n'
            '    return "alert" if exit_code in (2, 3, 4) else "ok"\n',
            "nobody planned for",
        ),
        "only 0 and 5 looked at, the rest ok": (
            f'{_STEP}    return "retry" if exit_code == 5 and attempt < 3 else "ok"\n',
            "that of yesterday",
        ),
        "a second attempt for a wrong setting": (
            f'{_STEP}    if exit_code == 0:\n        return "ok"\n'
            '    if exit_code == 2 and attempt == 2:\n        return "retry"\n'
            '    return "retry" if exit_code == 5 and attempt < 3 else "alert"\n',
            "nobody has corrected the setting",
        ),
        "the sign of the number dropped": (
            f"{_STEP}    code = abs(exit_code)\n"
            '    return "ok" if code == 0 else "retry" if code == 5 and attempt < 3 else "alert"\n',
            "-5 at attempt 1",
        ),
        "a truth value": (f"{_STEP}    return exit_code == 0\n", "expected one of ok, retry, alert"),
        "late success is an alarm": (
            f'{_STEP}    if attempt >= 3:\n        return "alert"\n'
            '    return {0: "ok", 5: "retry"}.get(exit_code, "alert")\n',
            "the output is complete",
        ),
    },
}
