"""Judges signed requests by the standard's Python library. Per line: {"secret", "headers", "body"}."""

import json
import sys

sys.path.insert(0, sys.argv[1])
from standardwebhooks.webhooks import Webhook, WebhookVerificationError  # noqa: E402

judged = refused = 0
for line in sys.stdin:
    judged += 1
    request = json.loads(line)
    judge = Webhook(request["secret"])
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
