"""Judges PagerDuty events. Per line: {"url", "body"}. The body must be what PagerDuty's own Python client would send for it, and
keep what "Events API v2 Overview" and "Send an Alert Event" ask for; with a second argument also the published OpenAPI schema."""

import json
import sys

sys.path.insert(0, sys.argv[1])
import httpx2  # noqa: E402
from pagerduty import EventsApiV2Client  # noqa: E402

received = []


def receive(request):
    """Stands where PagerDuty would be."""
    body = json.loads(request.content)
    received.append((str(request.url), body))
    return httpx2.Response(202, json={"status": "success", "dedup_key": body.get("dedup_key", "")})


def by_the_client(event):
    """What the client sends when it is given the event's parts, and where."""
    client = EventsApiV2Client(event["routing_key"], transport=httpx2.MockTransport(receive))
    parts = {key: value for key, value in event.items() if key not in ("routing_key", "event_action", "dedup_key")}
    if "event_action" in event:
        client.send_event(event["event_action"], dedup_key=event["dedup_key"], **parts)
    else:
        client.send_change_event(**parts)
    return received.pop()


def complaints(url, text):
    event = json.loads(text)
    path = url.removeprefix("https://events.pagerduty.com")
    sent_url, sent = by_the_client(event)
    # The client leaves out an empty list of links of a change event.
    if sent_url != url or {"links": [], **sent} != event:
        yield f"the client sends something else: {sent_url} {json.dumps(sent)[:300]}"
    if len(text.encode()) >= 512 * 1024:
        yield "larger than 512 KB"
    payload = event["payload"]
    if not 0 < len(payload["summary"]) <= 1024 or not payload["source"]:
        yield "summary or source"
    if path == "/v2/enqueue":
        if payload["severity"] not in ("critical", "error", "warning", "info"):
            yield "severity"
        if not 0 < len(event["dedup_key"]) <= 255:
            yield "dedup_key"
    elif set(event) - {"routing_key", "payload", "links", "images"} or set(payload) - {
        "summary", "source", "timestamp", "custom_details"
    }:
        yield "a change event has no such field"
    yield from by_the_schema(path, event)


schema = None
if len(sys.argv) > 2:
    with open(sys.argv[2], encoding="utf-8") as file:
        schema = json.load(file)


def by_the_schema(path, event):
    if schema:
        body = schema["paths"][path.removeprefix("/v2")]["post"]["requestBody"]["content"]["application/json"]["schema"]
        yield from against(body, event, "event")


TYPES = {"object": dict, "array": list, "string": str}


def against(rule, value, where):
    """As much of JSON Schema as that document uses; unknown fields count as faults."""
    if "$ref" in rule:
        rule = schema["components"]["schemas"][rule["$ref"].rsplit("/", 1)[1]]
    if "type" in rule and not isinstance(value, TYPES[rule["type"]]):
        yield f"{where} is no {rule['type']}"
    if "enum" in rule and value not in rule["enum"]:
        yield f"{where} is none of {rule['enum']}"
    for key in rule.get("required", []):
        if key not in value:
            yield f"{where} lacks {key}"
    for key, inner in (value.items() if "properties" in rule else ()):
        if key not in rule["properties"]:
            yield f"{where} has an unknown field {key}"
        else:
            yield from against(rule["properties"][key], inner, f"{where}.{key}")
    for item in value if "items" in rule else ():
        yield from against(rule["items"], item, f"{where}[]")


judged = refused = 0
for line in sys.stdin:
    judged += 1
    request = json.loads(line)
    found = list(complaints(request["url"], request["body"]))
    if found:
        refused += 1
        print(found, request["body"][:500], file=sys.stderr)
print(f"{judged} judged, {refused} refused")
sys.exit(1 if refused or not judged else 0)
