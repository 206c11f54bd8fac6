"""Judges a client assertion by pyca/cryptography. Input: {"assertion", "certificate", "audience", "app", "now"}."""

import base64
import json
import sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


given = json.load(sys.stdin)
head, body, signature = given["assertion"].split(".")
header, claims = json.loads(decoded(head)), json.loads(decoded(body))
certificate = x509.load_pem_x509_certificate(given["certificate"].encode())
assert header == {
    "alg": "PS256",
    "typ": "JWT",
    "x5t#S256": base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode(),
}, header
assert len(header["x5t#S256"]) == 43
assert claims["aud"] == given["audience"] and claims["iss"] == claims["sub"] == given["app"], claims
assert claims["nbf"] <= given["now"] < claims["exp"] <= claims["nbf"] + 600 and claims["jti"], claims
scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
key = certificate.public_key()
key.verify(decoded(signature), f"{head}.{body}".encode(), scheme, hashes.SHA256())
try:
    key.verify(decoded(signature), f"{head}.{body}x".encode(), scheme, hashes.SHA256())
    sys.exit("a changed assertion passed: the judge is blind")
except InvalidSignature:
    print("judged")
