"""Named wrong answers to the exercises of chapter 10: what the mistake is -> (the answer, words its hint contains)."""

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

MISTAKES = {
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
            "what stands behind the host",
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
            "this is a str",
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
            "for ever",
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
        "a truth value": (f"{_STEP}    return exit_code == 0\n", "one of ok, retry, alert"),
        "late success is an alarm": (
            f'{_STEP}    if attempt >= 3:\n        return "alert"\n'
            '    return {0: "ok", 5: "retry"}.get(exit_code, "alert")\n',
            "the output is complete",
        ),
    },
}
