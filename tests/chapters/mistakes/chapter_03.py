"""Known answers to the exercises of chapter 03, right and wrong ones: tests/support/exercises.py says how."""

THUMBPRINT = """
def build_credential(key_pem, certificate_pem):
    import hashlib
    import ssl

    der = ssl.PEM_cert_to_DER_cert(certificate_pem)
    return {answer}
"""

AUTHORITY = """
def build_authority(host, tenant):
    {host}
    {tenant}
    {refuse}
    return f"https://{{host}}/{{tenant}}"
"""
TIDY_HOST = 'host = host.removeprefix("https://").rstrip("/")'
TIDY_TENANT = 'tenant = tenant.strip("/").partition("/")[0]'
TENANTLESS = '{"common", "organizations", "consumers"}'
REFUSE = f'if tenant.lower() in {TENANTLESS}: raise ValueError("name a tenant")'


def _thumbprint(answer: str) -> str:
    return THUMBPRINT.format(answer=answer)


def _authority(host: str = TIDY_HOST, tenant: str = TIDY_TENANT, refuse: str = REFUSE) -> str:
    return AUTHORITY.format(host=host, tenant=tenant, refuse=refuse)


def _credential(answer: str) -> str:
    return f"def build_credential(key_pem, certificate_pem):\n    return {answer}\n"


def _hash(data: str) -> str:
    return (
        "def portal_thumbprint(certificate_pem):\n"
        "    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())\n"
        f"    data = {data}\n"
        "    return hashlib.sha1(data, usedforsecurity=False).hexdigest().upper()\n"
    )


_DER = "certificate.public_bytes(serialization.Encoding.DER)"

RIGHT = {
    "03-thumbprint": {
        "the certificate's own fingerprint": (
            "def portal_thumbprint(certificate_pem):\n"
            "    from cryptography.hazmat.primitives import hashes\n"
            "    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())\n"
            "    return certificate.fingerprint(hashes.SHA1()).hex().upper()\n"
        ),
        "DER by ssl": _hash("__import__('ssl').PEM_cert_to_DER_cert(certificate_pem)"),
        "base64 decoded by hand": _hash(
            "base64.b64decode(''.join(line for line in certificate_pem.splitlines() if '-' not in line))"
        ),
        "digit by digit": (
            "def portal_thumbprint(certificate_pem):\n"
            "    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())\n"
            f"    digest = hashlib.new('sha1', {_DER}, usedforsecurity=False).digest()\n"
            "    return ''.join(f'{byte:02X}' for byte in digest)\n"
        ),
    },
    "03-form": {
        "a float": "choice = 2.0",
        "a number of numpy": "import numpy\nchoice = numpy.int64(2)",
        "counted": "choice = len(['private_key', 'public_certificate'])",
    },
    "03-credential": {
        "dict() instead of braces": (
            "def build_credential(key_pem, certificate_pem):\n"
            "    return dict(private_key=key_pem, public_certificate=certificate_pem)\n"
        ),
        "the key as bytes": _credential('{"private_key": key_pem.encode(), "public_certificate": certificate_pem}'),
        "an ordered dictionary with space around the texts": (
            "def build_credential(key_pem, certificate_pem):\n"
            "    from collections import OrderedDict\n"
            "    return OrderedDict(public_certificate=certificate_pem.strip(), private_key=key_pem.strip())\n"
        ),
    },
    "03-authority": {
        "regular expressions": (
            "def build_authority(host, tenant):\n"
            "    import re\n"
            '    host = re.sub(r"^https://|/+$", "", host)\n'
            '    tenant = re.match(r"/*([^/]+)", tenant).group(1)\n'
            '    if re.fullmatch("common|organizations|consumers", tenant, re.IGNORECASE):\n'
            "        raise ValueError(tenant)\n"
            '    return "https://" + host + "/" + tenant\n'
        ),
        "urlsplit": (
            "def build_authority(host, tenant):\n"
            "    from urllib.parse import urlsplit\n"
            '    host = urlsplit(host if "//" in host else f"//{host}").netloc\n'
            '    tenant = [part for part in tenant.split("/") if part][0]\n'
            '    if tenant.casefold() in ["common", "organizations", "consumers"]:\n'
            "        raise ValueError\n"
            '    return f"https://{host}/{tenant}"\n'
        ),
        "an error of its own kind": (
            "class NoTenant(ValueError):\n    pass\n"
            "def build_authority(host, tenant):\n"
            f"    {TIDY_HOST}\n    {TIDY_TENANT}\n"
            f"    if tenant.lower() in {TENANTLESS}: raise NoTenant(tenant)\n"
            '    return "/".join(["https:/", host, tenant])\n'
        ),
    },
}

MISTAKES = {
    "03-thumbprint": {
        "the text as it came": (_hash("certificate_pem.encode()"), "the other encoding, DER"),
        "the letters of base64": (
            _hash("''.join(certificate_pem.splitlines()[1:-1]).encode()"),
            "decode them first",
        ),
        "the public key alone": (
            _hash(
                "certificate.public_key().public_bytes(serialization.Encoding.DER, "
                "serialization.PublicFormat.SubjectPublicKeyInfo)"
            ),
            "the public key alone",
        ),
        "what is signed": (_hash("certificate.tbs_certificate_bytes"), "take the signature as well"),
        "SHA-256": (_hash(_DER).replace("hashlib.sha1", "hashlib.sha256"), "64 digits of SHA-256"),
        "small letters": (_hash(_DER).replace(".upper()", ""), "in capitals"),
        "bytes": (_hash(_DER).replace("hexdigest().upper()", "digest()"), "gives a bytes, expected a text"),
        "always the same certificate": (_hash("der"), "two different certificates"),
        "line ends of one kind only": (
            _hash("base64.b64decode(certificate_pem.split('-----\\n', 1)[-1].partition('-----')[0])"),
            "lines end as on Windows",
        ),
        "text where bytes are wanted": (_hash("certificate_pem"), "raises TypeError"),
        "another algorithm": (_hash(_DER).replace("hashlib.sha1", "hashlib.md5"), "32 characters are something else"),
    },
    "03-form": {
        "the old form": ("choice = 1", "you would have to compute the thumbprint"),
        "the thumbprint beside it": ("choice = 3", "even when it has the certificate"),
        "a text as a path": ("choice = 4", "it wants a path there"),
        "a text": ('choice = "2"', "without quotation marks"),
        "the credential itself": (
            'choice = {"private_key": "key", "public_certificate": "certificate"}',
            "this is {'private_key'",
        ),
    },
    "03-credential": {
        "the key alone, as a str": (_credential("key_pem"), "a client secret to MSAL"),
        "a tuple": (_credential("(key_pem, certificate_pem)"), "gives a tuple, expected a dictionary"),
        "key and certificate swapped": (
            _credential('{"private_key": certificate_pem, "public_certificate": key_pem}'),
            "swapped",
        ),
        "paths instead of text": (
            _credential('{"private_key": "server.pem", "public_certificate": "server.crt"}'),
            "private_key holds no PEM text",
        ),
        "a path to the certificate": (
            _credential('{"private_key": key_pem, "public_certificate": "server.crt"}'),
            "public_certificate holds no PEM text",
        ),
        "the certificate as bytes": (
            _credential('{"private_key": key_pem, "public_certificate": certificate_pem.encode()}'),
            "bytes",
        ),
        "the certificate forgotten": (_credential('{"private_key": key_pem}'), "a dict with private_key:"),
        "a name that MSAL does not know": (
            _credential('{"private_key": key_pem, "certificate": certificate_pem}'),
            "a dict with private_key, certificate:",
        ),
        "the certificate as the key": (
            _credential('{"private_key": certificate_pem, "public_certificate": certificate_pem}'),
            "MSAL raises InvalidKeyError",
        ),
        "the deprecated form": (
            _thumbprint('{"private_key": key_pem, "thumbprint": hashlib.sha1(der).hexdigest()}'),
            "the deprecated form",
        ),
        "the thumbprint beside the certificate": (
            _thumbprint(
                '{"private_key": key_pem, "public_certificate": certificate_pem, '
                '"thumbprint": hashlib.sha1(der).hexdigest()}'
            ),
            "goes by the thumbprint",
        ),
        "a SHA-256 thumbprint": (
            _thumbprint('{"private_key": key_pem, "thumbprint": hashlib.sha256(der).hexdigest()}'),
            "AADSTS700027",
        ),
        "the notebook's key, whatever is given": (
            _credential('{"private_key": bench.private_key, "public_certificate": certificate_pem}'),
            "use key_pem",
        ),
        "the notebook's certificate, whatever is given": (
            _credential('{"private_key": key_pem, "public_certificate": bench.certificate}'),
            "use certificate_pem",
        ),
    },
    "03-authority": {
        "nothing tidied": (_authority(host="", tenant=""), "'https://https://login.microsoftonline.com/contoso.com'"),
        "letters instead of a beginning taken off": (
            _authority(host='host = host.strip("https://").rstrip("/")'),
            "strip() takes single letters",
        ),
        "no https": (
            "def build_authority(host, tenant):\n    return f'{host}/{tenant}'\n",
            "gives 'login.microsoftonline.com/contoso.com'",
        ),
        "a slash left at the host's end": (
            _authority(host='host = host.removeprefix("https://")'),
            "before it sends anything",
        ),
        "a single slash taken off": (
            _authority(host='host = host.removeprefix("https://").removesuffix("/")'),
            "'https://login.microsoftonline.com//'",
        ),
        "the tail left": (_authority(tenant='tenant = tenant.strip("/")'), "(HTTP 404)"),
        "only the tail /v2.0 cut": (
            _authority(tenant='tenant = tenant.strip("/").removesuffix("/v2.0")'),
            "/oauth2/v2.0/token' it gives",
        ),
        "a slash at the end": (
            "def build_authority(host, tenant):\n"
            f"    {TIDY_HOST}\n    {TIDY_TENANT}\n"
            '    return f"https://{host}/{tenant}/"\n',
            "copes with it",
        ),
        "always the public cloud": (
            _authority(host='host = "login.microsoftonline.com"'),
            "another host",
        ),
        "takes /common": (_authority(refuse=""), "AADSTS9001023"),
        "takes all but /common": (
            _authority(refuse='if tenant == "common": raise ValueError("name a tenant")'),
            "for 'organizations'",
        ),
        "forgets /consumers": (
            _authority(refuse='if tenant.lower() in {"common", "organizations"}: raise ValueError("name a tenant")'),
            "for 'consumers'",
        ),
        "knows /common in small letters only": (
            _authority(refuse=f'if tenant in {TENANTLESS}: raise ValueError("name a tenant")'),
            "for 'Common'",
        ),
        "judges before it tidies": (
            _authority(host=REFUSE, tenant=f"{TIDY_HOST}; {TIDY_TENANT}", refuse=""),
            "for '/common/'",
        ),
        "returns nothing for /common": (
            _authority(refuse=f"if tenant.lower() in {TENANTLESS}: return None"),
            "gives back None",
        ),
        "an assertion instead of a ValueError": (
            _authority(refuse=f"assert tenant.lower() not in {TENANTLESS}"),
            "raises AssertionError",
        ),
    },
}
