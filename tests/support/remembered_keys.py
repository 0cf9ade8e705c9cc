"""Loads private keys quickly: the tests load some keys of their own thousands of times.

OpenSSL proves at each load that the two primes of an RSA key are prime, which takes 50 ms, and MSAL loads a key given
as text anew for each token. The tests make all their keys themselves and damage none of the primes, so the proof is
left out. A PFX file cannot be loaded without it; what such a file holds is remembered, in each process for itself.
Nothing else changes: a key or a passphrase that does not fit is refused each time, and a loaded key cannot be altered.

To import this file is to switch it on, before PyJWT and the daemon take the functions by name. The kernels that run the
chapters do it by a start-up file of IPython, and Dask's workers preload it, see `chapters.practice_environment`.
"""

from collections.abc import Callable
from functools import lru_cache, partial, wraps
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


def without_proof(load: Callable[..., Any]) -> Callable[..., Any]:
    """`load` that takes the primes of an RSA key for primes."""
    return wraps(load)(partial(load, unsafe_skip_rsa_key_validation=True))


serialization.load_pem_private_key = without_proof(serialization.load_pem_private_key)
serialization.load_der_private_key = without_proof(serialization.load_der_private_key)
pkcs12.load_key_and_certificates = remembering(pkcs12.load_key_and_certificates)
pkcs12.load_pkcs12 = remembering(pkcs12.load_pkcs12)
