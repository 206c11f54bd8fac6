"""Judges PagerDuty events. Per line: {"url", "body"}. The body must be what PagerDuty's own Python client would send for it, and
keep what "Events API v2 Overview" and "Send an Alert Event" ask for; with a second argument also the published OpenAPI schema."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

sys.path.insert(0, sys.argv[1])
from pagerduty import EventsApiV2Client  # noqa: E402

received = []


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        received.append((self.path, body))
        answer = json.dumps({"status": "success", "dedup_key": body.get("dedup_key", "")}).encode()
        self.send_response(202)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()


def by_the_client(path, event):
    """What the client sends when it is given the event's parts."""
    client = EventsApiV2Client(event["routing_key"], base_url=f"http://127.0.0.1:{server.server_port}")
    parts = {key: value for key, value in event.items() if key not in ("routing_key", "event_action", "dedup_key")}
    if path == "/v2/change/enqueue":
        client.send_change_event(**parts)
    else:
        client.send_event(event["event_action"], dedup_key=event["dedup_key"], **parts)
    return received.pop()


def complaints(url, text):
    event = json.loads(text)
    if not url.startswith("https://events.pagerduty.com/"):
        yield "wrong host"
    path = url.removeprefix("https://events.pagerduty.com")
    sent_path, sent = by_the_client(path, event)
    if sent_path != path or {"links": [], **sent} != event:
        yield f"the client sends something else: {sent_path} {json.dumps(sent)[:300]}"
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
