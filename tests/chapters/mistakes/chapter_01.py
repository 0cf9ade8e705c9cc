"""Named wrong answers to the exercises of chapter 01: what the mistake is -> (the answer, words its hint contains)."""

MISTAKES = {
    "01-x5t": {
        "the hexadecimal spelling": (
            "def x5t_s256(certificate_pem):\n"
            "    return x509.load_pem_x509_certificate(certificate_pem.encode()).fingerprint(hashes.SHA256()).hex()\n",
            "this is the hexadecimal spelling",
        ),
        "base64 of the hexadecimal text": (
            "def x5t_s256(certificate_pem):\n"
            "    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())\n"
            "    return base64url(certificate.fingerprint(hashes.SHA256()).hex().encode())\n",
            "base64url of the hexadecimal text",
        ),
        "the padding left in place": (
            "def x5t_s256(certificate_pem):\n"
            "    digest = x509.load_pem_x509_certificate(certificate_pem.encode()).fingerprint(hashes.SHA256())\n"
            "    return base64.urlsafe_b64encode(digest).decode()\n",
            "the = at the end",
        ),
        "the standard alphabet": (
            "def x5t_s256(certificate_pem):\n"
            "    digest = x509.load_pem_x509_certificate(certificate_pem.encode()).fingerprint(hashes.SHA256())\n"
            '    return base64.b64encode(digest).rstrip(b"=").decode()\n',
            "plain base64",
        ),
        "a hash over the PEM text": (
            "def x5t_s256(certificate_pem):\n    return base64url(hashlib.sha256(certificate_pem.encode()).digest())\n",
            "over the PEM text",
        ),
        "a hash over the public key": (
            "def x5t_s256(certificate_pem):\n"
            "    public_key = x509.load_pem_x509_certificate(certificate_pem.encode()).public_key()\n"
            "    spki = serialization.PublicFormat.SubjectPublicKeyInfo\n"
            "    der = public_key.public_bytes(serialization.Encoding.DER, spki)\n"
            "    return base64url(hashlib.sha256(der).digest())\n",
            "the public key alone",
        ),
        "SHA-1": (
            "def x5t_s256(certificate_pem):\n"
            "    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())\n"
            "    return base64url(certificate.fingerprint(hashes.SHA1()))\n",
            "The key was not found",
        ),
        "bytes": (
            "def x5t_s256(certificate_pem):\n"
            "    digest = x509.load_pem_x509_certificate(certificate_pem.encode()).fingerprint(hashes.SHA256())\n"
            '    return base64.urlsafe_b64encode(digest).rstrip(b"=")\n',
            "this is bytes",
        ),
        "the bare digest of something else": (
            'def x5t_s256(certificate_pem):\n    return base64url(hashlib.sha256(b"").digest())\n',
            "43 characters are wanted",
        ),
        "always the same certificate": (
            'def x5t_s256(certificate_pem):\n    return "hcolCbQ643krOC-relxre_nkpdViha--KoeHrtKfonA"\n',
            "use certificate_pem",
        ),
        "text where bytes are wanted": (
            "def x5t_s256(certificate_pem):\n"
            "    return base64url(x509.load_pem_x509_certificate(certificate_pem).fingerprint(hashes.SHA256()))\n",
            "TypeError",
        ),
        "no return": (
            "def x5t_s256(certificate_pem):\n"
            "    base64url(x509.load_pem_x509_certificate(certificate_pem.encode()).fingerprint(hashes.SHA256()))\n",
            "return",
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
        "the certificate itself": (
            "def may_upload(data):\n    return x509.load_pem_x509_certificate(data)\n",
            "True or False is wanted",
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
