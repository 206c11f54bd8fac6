"""Judges Google Chat payloads, one JSON text per line of standard input, by Google's own message types."""

import json
import sys

sys.path.insert(0, sys.argv[1])
from google.apps.chat_v1.types import Message  # noqa: E402
from google.protobuf import json_format  # noqa: E402


def objections(line):
    if len(line.encode()) > 32_000:
        yield "too large"
    payload = json.loads(line)
    # Unknown fields and wrong types raise.
    message = json_format.ParseDict(payload, Message.pb()())
    if json_format.MessageToDict(message) != payload:
        yield f"read as {json_format.MessageToDict(message)}"
    for card in message.cards_v2:
        for section in card.card.sections:
            if not section.widgets or len(section.widgets) > 100:
                yield "a section has 1 to 100 widgets"
            if any(widget.WhichOneof("data") is None for widget in section.widgets):
                yield "an empty widget"


judged = refused = 0
for line in sys.stdin:
    judged += 1
    try:
        found = list(objections(line.rstrip("\n")))
    except Exception as error:
        found = [repr(error)]
    if found:
        refused += 1
        print("; ".join(found)[:2000], file=sys.stderr)
print(f"{judged} judged, {refused} refused")
sys.exit(1 if refused or not judged else 0)
