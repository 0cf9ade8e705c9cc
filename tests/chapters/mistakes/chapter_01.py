"""Known answers to the exercises of chapter 01, right and wrong ones: tests/support/exercises.py says how."""

RIGHT = {
    "01-x5t": {
        "DER by ssl, hash by hashlib": (
            "def x5t_s256(certificate_pem):\n"
            "    import hashlib, ssl\n"
            "    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate_pem)).digest()\n"
            '    return base64.urlsafe_b64encode(digest).decode("ascii").replace("=", "")\n'
        ),
        "the two letters replaced by hand": (
            "def x5t_s256(certificate_pem):\n"
            "    digest = x509.load_pem_x509_certificate(str.encode(certificate_pem)).fingerprint(hashes.SHA256())\n"
            "    return str(base64.b64encode(digest), 'ascii').translate({43: 45, 47: 95, 61: None})\n"
        ),
        "a kind of str": (
            "def x5t_s256(certificate_pem):\n"
            "    class Thumbprint(str): pass\n"
            "    digest = x509.load_pem_x509_certificate(certificate_pem.encode()).fingerprint(hashes.SHA256())\n"
            '    return Thumbprint(base64.urlsafe_b64encode(digest).rstrip(b"=").decode())\n'
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
            "def x5t_s256(certificate_pem):\n"
            '    return base64url(hashlib.sha256(b"x" + certificate_pem.encode()).digest())\n',
            "43 characters are wanted",
        ),
        "always the same certificate": (
            'def x5t_s256(certificate_pem):\n    return "hcolCbQ643krOC-relxre_nkpdViha--KoeHrtKfonA"\n',
            "use certificate_pem",
        ),
        "another certificate of the notebook": (
            "def x5t_s256(certificate_pem):\n"
            "    digest = x509.load_pem_x509_certificate(bench.certificate.encode()).fingerprint(hashes.SHA256())\n"
            "    return base64url(digest)\n",
            "two different certificates get the same answer",
        ),
        "a hash over the PEM text, in hexadecimal": (
            "def x5t_s256(certificate_pem):\n    return hashlib.sha256(certificate_pem.encode()).hexdigest()\n",
            "a hash over the PEM text, in",
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
