"""Judges signed requests. Per line: {"secret", "headers", "body"}. A symmetric secret is judged by the standard's Python
library; of an asymmetric one the line has the public key (`whpk_`), and `cryptography` verifies `v1a`."""

import base64
import json
import sys

sys.path.insert(0, sys.argv[1])
from cryptography.exceptions import InvalidSignature  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: E402
from standardwebhooks.webhooks import Webhook, WebhookVerificationError  # noqa: E402


class Asymmetric:
    """The library knows no `v1a`."""

    def __init__(self, key):
        self.key = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.removeprefix("whpk_"), validate=True))

    def verify(self, body, headers):
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
        for signature in headers["webhook-signature"].split(" "):
            scheme, encoded = signature.split(",", 1)
            try:
                if scheme == "v1a":
                    return self.key.verify(base64.b64decode(encoded, validate=True), signed)
            except InvalidSignature:
                pass
        raise WebhookVerificationError("no signature by this key")


judged = refused = 0
for line in sys.stdin:
    judged += 1
    request = json.loads(line)
    secret = request["secret"]
    judge = Asymmetric(secret) if secret.startswith("whpk_") else Webhook(secret)
    try:
        judge.verify(request["body"], request["headers"])
    except Exception as error:
        refused += 1
        print(repr(error), file=sys.stderr)
        continue
    try:
        judge.verify(request["body"] + " ", request["headers"])
        refused += 1
        print("a changed body passed: the judge is blind", file=sys.stderr)
    except WebhookVerificationError:
        pass
print(f"{judged} judged, {refused} refused")
sys.exit(1 if refused or not judged else 0)
