# SPDX-License-Identifier: Apache-2.0
"""Tokens (JWT), good ones and every kind of bad one, made independently of the gateway."""

import base64
import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(header, claims, signature_of):
    """header and claims are dicts, or bytes to be taken as they are."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    signed = ".".join(b64(part) for part in parts)
    return f"{signed}.{b64(signature_of(signed.encode()))}"


def claims_for(user, ttl_s=3600, **more):
    """The claims of an ordinary token. A claim given as None is left out."""
    now = int(time.time())
    claims = {"sub": str(user), "iat": now, "exp": now + ttl_s, **more}
    return {name: value for name, value in claims.items() if value is not None}


class Hs256:
    algorithm = "HS256"

    def __init__(self, secret, kid="default"):
        self.secret = secret.encode()
        self.kid = kid

    def sign(self, data):
        return hmac.new(self.secret, data, hashlib.sha256).digest()

    def mint(self, user, ttl_s=3600, header=None, **more):
        return compact(self.header(header), claims_for(user, ttl_s, **more), self.sign)

    def header(self, more=None):
        return {"alg": self.algorithm, "typ": "JWT", "kid": self.kid, **(more or {})}


class _KeyPair(Hs256):
    """A signer with a private key; public_pem is what the gateway is given."""

    def __init__(self, private, kid):
        self.private = private
        self.kid = kid

    @property
    def public_pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


class Rs256(_KeyPair):
    algorithm = "RS256"

    def __init__(self, kid, bits=2048):
        super().__init__(rsa.generate_private_key(public_exponent=65537, key_size=bits), kid)

    def sign(self, data):
        return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())


class Es256(_KeyPair):
    algorithm = "ES256"

    def __init__(self, kid):
        super().__init__(ec.generate_private_key(ec.SECP256R1()), kid)

    def sign_der(self, data):
        return self.private.sign(data, ec.ECDSA(hashes.SHA256()))

    def sign(self, data):
        r, s = utils.decode_dss_signature(self.sign_der(data))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class EdDsa(_KeyPair):
    algorithm = "EdDSA"

    def __init__(self, kid):
        super().__init__(ed25519.Ed25519PrivateKey.generate(), kid)

    def sign(self, data):
        return self.private.sign(data)
