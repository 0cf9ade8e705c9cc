"""Known answers to the exercises of chapter 01, right and wrong ones: tests/support/exercises.py says how."""

_SAVE = "def save_passphrase(path, passphrase):\n"
_CHMOD = "    os.chmod(path, 0o600)\n"
_WITH_OPENER = _SAVE + '    with open(path, "x", opener=owner_only) as file:\n        file.write(passphrase)\n'


def _pair(answer: str) -> str:
    return (
        "def holds_a_pair(pem_bytes):\n"
        "    key = serialization.load_pem_private_key(pem_bytes, password=None)\n"
        "    certificate = x509.load_pem_x509_certificate(pem_bytes)\n"
        f"    return {answer}\n"
    )


RIGHT = {
    "01-owner": {
        "without the last line": _WITH_OPENER,
        "a file number with its rights": (
            f"{_SAVE}    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)\n"
            "    with os.fdopen(number, 'w') as file:\n        file.write(passphrase)\n"
        ),
        "bytes, by the function of the notebook": f"{_SAVE}    write_private(path, passphrase.encode())\n{_CHMOD}",
        "touched privately and filled afterwards": (
            f"{_SAVE}    path.touch(mode=0o600, exist_ok=False)\n    path.write_text(passphrase)\n"
        ),
        "the umask set for a while": (
            f"{_SAVE}    before = os.umask(0o077)\n    try:\n        with open(path, 'x') as file:\n"
            "            file.write(passphrase)\n    finally:\n        os.umask(before)\n"
        ),
        "a draft in the same folder, moved": (
            f"{_SAVE}    import tempfile\n    number, draft = tempfile.mkstemp(dir=path.parent)\n"
            "    with open(number, 'w') as file:\n        file.write(passphrase)\n    os.replace(draft, path)\n"
        ),
        "with a value to give back": f"{_WITH_OPENER}    return path\n",
    },
    "01-files": {
        "with its folder's own path object": "choice = crt",
        "in capitals, with a space": 'choice = " SERVER.CRT"',
        "the name of a path": "choice = crt.name",
    },
    "01-pair": {
        "the notebook's own function": _pair("belongs(key, certificate)"),
        "the numbers": _pair("key.public_key().public_numbers() == certificate.public_key().public_numbers()"),
        "the bytes of both": _pair(
            "len({one.public_key().public_bytes(serialization.Encoding.DER, "
            "serialization.PublicFormat.SubjectPublicKeyInfo) for one in (key, certificate)}) == 1"
        ),
        "a boolean of numpy": _pair(
            "__import__('numpy').bool_(key.private_numbers().public_numbers.n "
            "== certificate.public_key().public_numbers().n)"
        ),
    },
    "01-upload": {
        "a boolean of numpy": (
            "def may_upload(data):\n"
            "    import numpy\n"
            "    try:\n"
            '        kind = "pem" if b"-----BEGIN" in data else "der"\n'
            '        getattr(x509, f"load_{kind}_x509_certificate")(data)\n'
            "    except ValueError:\n"
            "        return numpy.bool_(False)\n"
            '    return numpy.bool_(b"PRIVATE KEY" not in data)\n'
        ),
        "every block read by its name": (
            "def may_upload(data):\n"
            "    import re\n"
            '    blocks = re.findall(rb"-----BEGIN ([A-Z ]+)-----", data)\n'
            "    if blocks and set(blocks) != {b'CERTIFICATE'}:\n"
            "        return False\n"
            "    try:\n"
            "        x509.load_pem_x509_certificates(data) if blocks else x509.load_der_x509_certificate(data)\n"
            "        return True\n"
            "    except Exception:\n"
            "        return False\n"
        ),
        "both loaders tried in turn": (
            "def may_upload(data):\n"
            "    for load in (x509.load_der_x509_certificate, x509.load_pem_x509_certificate):\n"
            "        try:\n"
            "            return bool(load(data)) and data.find(b'PRIVATE KEY') == -1\n"
            "        except ValueError:\n"
            "            pass\n"
            "    return False\n"
        ),
    },
}

MISTAKES = {
    "01-owner": {
        "the rights taken away before it writes": (
            f"{_SAVE}    with path.open('x') as file:\n        path.chmod(0o600)\n        file.write(passphrase)\n",
            "in that moment",
        ),
        "the rights taken away while it writes": (
            f"{_SAVE}    with open(path, 'x') as file:\n        file.write(passphrase)\n        file.flush()\n"
            "        os.chmod(path, 0o600)\n",
            "once everything is in it",
        ),
        "no rights taken away": (
            f"{_SAVE}    with open(path, 'x') as file:\n        file.write(passphrase)\n",
            "for as long as it exists",
        ),
        "a group may read": (
            f"{_SAVE}    opener = lambda path, flags: os.open(path, flags, 0o640)\n"
            f"    with open(path, 'x', opener=opener) as file:\n        file.write(passphrase)\n{_CHMOD}",
            "the mode 0640",
        ),
        "an old file written over": (
            f"{_SAVE}    with open(path, 'w', opener=owner_only) as file:\n        file.write(passphrase)\n{_CHMOD}",
            'keep "x"',
        ),
        "bytes wanted, text given": (
            f"{_SAVE}    with open(path, 'xb', opener=owner_only) as file:\n        file.write(passphrase)\n{_CHMOD}",
            "raises TypeError",
        ),
        "opened for reading": (
            f"{_SAVE}    with open(path, opener=owner_only) as file:\n        file.write(passphrase)\n{_CHMOD}",
            "raises FileNotFoundError",
        ),
        "nothing written": (
            f"{_SAVE}    with open(path, 'x', opener=owner_only) as file:\n        pass\n{_CHMOD}",
            "is not what is in it",
        ),
        "somewhere else": (f"{_SAVE}    path = path.with_suffix('.new')\n    path.touch(0o600)\n", "no file at path"),
    },
    "01-files": {
        "the private key": ('choice = "server.pem"', "Entra ID gave one"),
        "the binary form": ('choice = "server.cer"', "bytes in DER"),
        "the pair": ('choice = "server.pfx"', "its passphrase is all"),
        "a request": ('choice = "server.csr"', "this is 'server.csr'"),
        "two of them": ('choice = ["server.crt", "server.cer"]', "one name is wanted"),
    },
    "01-pair": {
        "key and certificate compared": (_pair("key == certificate"), "a key with its own certificate"),
        "keys of the same size": (
            _pair("key.key_size == certificate.public_key().key_size"),
            "for another key of the same size",
        ),
        "the certificate itself": (_pair("key.public_key() and certificate"), "expected True or False"),
        "a method that is not called": (_pair("key.public_key() == certificate.public_key.n"), "AttributeError"),
        "the public numbers of the wrong one": (
            _pair("key.public_numbers() == certificate.public_key()"),
            "public_numbers",
        ),
        "the order decides": (
            _pair("key.public_key() == certificate.public_key() and pem_bytes.startswith(b'-----BEGIN P')"),
            "the order means nothing",
        ),
    },
    "01-upload": {
        "every PEM file": (
            'def may_upload(data):\n    return b"-----BEGIN" in data or data.startswith(b"0\\x82")\n',
            "server.pem is the private key",
        ),
        "PEM only": (
            'def may_upload(data):\n    return b"BEGIN CERTIFICATE-----" in data\n',
            "the same certificate in DER",
        ),
        "a certificate is somewhere in it": (
            'def may_upload(data):\n    return b"BEGIN CERTIFICATE-----" in data or data == cer.read_bytes()\n',
            "behind the certificate",
        ),
        "only the newer form of key refused": (
            'def may_upload(data):\n    return b"BEGIN PRIVATE KEY" not in data\n',
            "in its older form",
        ),
        "an encrypted key taken for harmless": (
            "def may_upload(data):\n"
            '    return not any(words in data for words in (b"BEGIN PRIVATE KEY", b"BEGIN RSA PRIVATE KEY"))\n',
            "get guessed",
        ),
        "anything without a key's BEGIN line": (
            'def may_upload(data):\n    return b"PRIVATE KEY" not in data\n',
            "a PFX holds the private key",
        ),
        "a request taken for a certificate": (
            "def may_upload(data):\n"
            '    return b"PRIVATE KEY" not in data and (b"BEGIN CERTIFICATE" in data or data == cer.read_bytes())\n',
            "is a request",
        ),
        "a public key is enough": (
            "def may_upload(data):\n"
            '    if b"PRIVATE KEY" in data or b"REQUEST" in data:\n'
            "        return False\n"
            '    return b"-----BEGIN" in data or data == cer.read_bytes()\n',
            "a bare public key",
        ),
        "whatever is not text": (
            "def may_upload(data):\n"
            '    if b"-----BEGIN" in data:\n'
            '        return b"PRIVATE KEY" not in data and b"BEGIN CERTIFICATE-----" in data\n'
            "    return data != pfx.read_bytes()\n",
            "let a parser decide",
        ),
        "whatever begins as DER does": (
            "def may_upload(data):\n"
            '    if b"PRIVATE KEY" in data or b"REQUEST" in data or b"PUBLIC" in data or data == pfx.read_bytes():\n'
            "        return False\n"
            '    return b"-----BEGIN" in data or data.startswith(b"0\\x82")\n',
            "a private key in DER has no BEGIN line",
        ),
        "a BEGIN line is proof enough": (
            "def may_upload(data):\n"
            '    if b"PRIVATE KEY" in data:\n'
            "        return False\n"
            '    if b"-----BEGIN CERTIFICATE-----" in data:\n'
            "        return True\n"
            "    try:\n"
            "        return bool(x509.load_der_x509_certificate(data))\n"
            "    except ValueError:\n"
            "        return False\n",
            "between its BEGIN and END lines",
        ),
        "True or nothing": (
            "def may_upload(data):\n"
            '    if b"PRIVATE KEY" not in data and (b"BEGIN CERTIFICATE-----" in data or data == cer.read_bytes()):\n'
            "        return True\n",
            "where False is meant",
        ),
        "the certificate itself": (
            "def may_upload(data):\n    return x509.load_pem_x509_certificate(data)\n",
            "expected True or False",
        ),
        "an error instead of False": (
            "def may_upload(data):\n"
            '    load = x509.load_pem_x509_certificate if b"-----BEGIN" in data else x509.load_der_x509_certificate\n'
            "    load(data)\n"
            '    return b"PRIVATE KEY" not in data\n',
            "a plain True or False",
        ),
        "no return": ('def may_upload(data):\n    b"PRIVATE KEY" not in data\n', "return"),
        "nothing at all": ("def may_upload(data):\n    return False\n", "that one may be uploaded"),
    },
}
