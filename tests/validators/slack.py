"""Judges Slack payloads, one JSON text per line of standard input, by the models of Slack's own SDK."""

import json
import sys

sys.path.insert(0, sys.argv[1])
from slack_sdk.models.blocks import Block  # noqa: E402


def objections(payload):
    if not payload["text"]:
        yield "no text"
    if len(payload.get("blocks", [])) > 50:
        yield "too many blocks"
    for block in payload.get("blocks", []):
        parsed = Block.parse(block)
        if parsed is None:
            yield f"unknown block {block['type']}"
        elif parsed.to_dict() != block:
            yield f"read as {parsed.to_dict()}, written as {block}"
        if any(len(field["text"]) > 2000 for field in block.get("fields", [])):
            yield "a field is too long"


judged = refused = 0
for line in sys.stdin:
    judged += 1
    try:
        found = list(objections(json.loads(line)))
    except Exception as error:  # the models raise on limits
        found = [repr(error)]
    if found:
        refused += 1
        print("; ".join(found)[:2000], file=sys.stderr)
print(f"{judged} judged, {refused} refused")
sys.exit(1 if refused or not judged else 0)
