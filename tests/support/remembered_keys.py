"""Loads a private key once in a process, however often it is asked for.

OpenSSL proves at each load that the two primes of an RSA key are prime, which takes 50 ms. MSAL loads a key given as
text anew for each token, and the tests ask for thousands of tokens: without this, a seventh of their time is spent on
proving the same few keys. Nothing else changes: a key that cannot be loaded is refused each time, a passphrase belongs
to what is remembered, and a loaded key cannot be altered.

To import this file is to switch it on, before PyJWT and the daemon take the functions by name. The kernels that run the
chapters do it by a start-up file of IPython, and Dask's workers preload it, see `chapters.practice_environment`.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12


def remembering(load: Callable[..., Any]) -> Callable[..., Any]:
    """`load` that gives back the same object for the same arguments; arguments that cannot be looked up go through."""
    remembered = lru_cache(maxsize=256)(load)

    @wraps(load)
    def load_once(*arguments: Any, **named: Any) -> Any:
        try:
            hash((arguments, *named.values()))
        except TypeError:
            return load(*arguments, **named)
        return remembered(*arguments, **named)

    return load_once


serialization.load_pem_private_key = remembering(serialization.load_pem_private_key)
serialization.load_der_private_key = remembering(serialization.load_der_private_key)
pkcs12.load_key_and_certificates = remembering(pkcs12.load_key_and_certificates)
pkcs12.load_pkcs12 = remembering(pkcs12.load_pkcs12)
