"""Keys that sign images: ECDSA on P-256, as cosign has them.

A private key is a PEM file, or cosign's own encrypted one (scrypt and NaCl's secretbox), whose password comes from
the environment variable ``COSIGN_PASSWORD`` as for cosign. What is generated here cosign and skopeo can use.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, MissingExtra, NotFound, SecretNotFound

PASSWORD = "COSIGN_PASSWORD"  # noqa: S105 (the name of a variable)
_SEALED = ("ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY")
_KDF = {"N": 65536, "r": 8, "p": 1}  # what cosign takes for new keys
_MOST_MEMORY = 256 << 20  # a key file may ask for no more


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key. It is in no repr, and pickles nowhere."""

    _key: Any = field(repr=False)

    @classmethod
    def read(cls, path: Path, password: str | None = None) -> SigningKey:
        """Open a key file. Without a password the environment is asked for it, if the key wants one."""
        data = _bytes(path)
        if any(f"BEGIN {kind}" in data[:200].decode("ascii", "replace") for kind in _SEALED):
            data = _unsealed(data, path, _password(path, password))
            return cls(_checked(_serialization().load_der_private_key(data, None), path))
        known = _password(path, password).encode() if b"ENCRYPTED" in data else None
        try:
            return cls(_checked(_serialization().load_pem_private_key(data, known), path))
        except (ValueError, TypeError) as error:
            hint = "the password is another" if known else "a PEM file with an ECDSA key on P-256"
            raise InvalidInput(f"{path} is no private key that can be opened", hint=hint) from error

    @classmethod
    def generate(cls) -> SigningKey:
        """A new key."""
        return cls(_curves().generate_private_key(_curves().SECP256R1()))

    @property
    def public(self) -> PublicKey:
        """What verifies."""
        return PublicKey(self._key.public_key())

    def sign(self, payload: bytes) -> bytes:
        """The signature of these bytes."""
        signature: bytes = self._key.sign(payload, _ecdsa())
        return signature

    def sealed(self, password: str) -> bytes:
        """The key as an encrypted file of cosign's."""
        kinds = _serialization()
        plain = self._key.private_bytes(kinds.Encoding.DER, kinds.PrivateFormat.PKCS8, kinds.NoEncryption())
        salt, nonce = secrets.token_bytes(32), secrets.token_bytes(24)
        box = _box(_derived(password, salt, _KDF))
        document = {
            "kdf": {"name": "scrypt", "params": _KDF, "salt": base64.b64encode(salt).decode()},
            "cipher": {"name": "nacl/secretbox", "nonce": base64.b64encode(nonce).decode()},
            "ciphertext": base64.b64encode(box.encrypt(plain, nonce).ciphertext).decode(),
        }
        text = base64.b64encode(json.dumps(document).encode()).decode()
        lines = [text[start : start + 64] for start in range(0, len(text), 64)]
        return "\n".join(
            [f"-----BEGIN {_SEALED[0]}-----", *lines, f"-----END {_SEALED[0]}-----", ""]
        ).encode()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The other half: it tells whether a signature is the key's."""

    _key: Any = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> PublicKey:
        """Open a PEM file (``cosign.pub``)."""
        try:
            return cls(_checked(_serialization().load_pem_public_key(_bytes(path)), path))
        except ValueError as error:
            raise InvalidInput(
                f"{path} is no public key", hint="a PEM file with an ECDSA key on P-256"
            ) from error

    @property
    def pem(self) -> bytes:
        """The key as a file."""
        kinds = _serialization()
        data: bytes = self._key.public_bytes(kinds.Encoding.PEM, kinds.PublicFormat.SubjectPublicKeyInfo)
        return data

    def has_signed(self, payload: bytes, signature: bytes) -> bool:
        """Whether the signature of these bytes is this key's."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._key.verify(signature, payload, _ecdsa())
        except InvalidSignature:
            return False
        return True


# --- inside ---------------------------------------------------------------------------------------------


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFound(f"cannot read the key {path}: {error.strerror}") from error


def _password(path: Path, given: str | None) -> str:
    found = os.environ.get(PASSWORD) if given is None else given
    if found is None:
        raise SecretNotFound(f"{path} is encrypted, and there is no password for it", hint=f"set {PASSWORD}")
    return found


def _unsealed(data: bytes, path: Path, password: str) -> bytes:
    try:
        body = b"".join(line for line in data.splitlines() if line and not line.startswith(b"-----"))
        document = json.loads(base64.b64decode(body))
        kdf, cipher = document["kdf"], document["cipher"]
        if (kdf["name"], cipher["name"]) != ("scrypt", "nacl/secretbox"):
            raise InvalidInput(
                f"{path} is encrypted in a way that is not known here: {kdf['name']}, {cipher['name']}"
            )
        key = _derived(password, base64.b64decode(kdf["salt"]), kdf["params"])
        nonce, sealed = base64.b64decode(cipher["nonce"]), base64.b64decode(document["ciphertext"])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            f"{path} is no key of cosign's", hint="cosign generate-key-pair makes one"
        ) from error
    box = _box(key)
    from nacl.exceptions import CryptoError

    try:
        plain: bytes = box.decrypt(sealed, nonce)
    except (CryptoError, ValueError) as error:
        raise InvalidInput(f"{path} does not open with that password", hint=f"set {PASSWORD}") from error
    return plain


def _derived(password: str, salt: bytes, params: Mapping[str, int]) -> bytes:
    return hashlib.scrypt(
        password.encode(),
        salt=salt,
        n=params["N"],
        r=params["r"],
        p=params["p"],
        maxmem=_MOST_MEMORY,
        dklen=32,
    )


def _checked(key: Any, path: Path) -> Any:
    curve = getattr(getattr(key, "curve", None), "name", "")
    if curve != "secp256r1":
        raise InvalidInput(f"{path} has a key of another kind", hint="cosign's are ECDSA on P-256")
    return key


def _ecdsa() -> Any:
    from cryptography.hazmat.primitives import hashes

    return _curves().ECDSA(hashes.SHA256())


def _curves() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        raise _missing("cryptography") from error
    return ec


def _serialization() -> Any:
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError as error:
        raise _missing("cryptography") from error
    return serialization


def _box(key: bytes) -> Any:
    try:
        from nacl.secret import SecretBox
    except ImportError as error:
        raise _missing("PyNaCl") from error
    return SecretBox(key)


def _missing(name: str) -> MissingExtra:
    return MissingExtra(
        f"signing images needs the distribution {name}", hint="pip install 'jupyter-mlops[images]'"
    )
