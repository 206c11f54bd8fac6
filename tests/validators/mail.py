"""Judges mails as a real server has stored them, by Python's own parser.

Per line of standard input: {"stored": the message, "subject", "text", "html": what it must say, "id", "from", "to": …}.
"""

import email
import email.policy
import email.utils
import html.parser
import json
import sys
import urllib.parse

# What a message of ours has, and what the server puts before it.
HEADERS = {
    "received", "from", "to", "subject", "date", "message-id", "in-reply-to", "references", "x-scorewatch-id",
    "auto-submitted", "x-auto-response-suppress", "mime-version", "content-type",
}  # fmt: skip
TAGS = {
    "html", "head", "title", "meta", "style", "body", "table", "tr", "td", "strong", "ul", "li", "a", "h2", "div", "span", "br",
}  # fmt: skip
ATTRIBUTES = {"lang", "charset", "name", "content", "class", "style", "role", "cellpadding", "cellspacing", "rowspan", "href"}
HOSTS = {"scores.mssp.example", "security.microsoft.com", "entra.microsoft.com", "api.slack.com"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.objections = []
        self.in_style = False

    def handle_starttag(self, tag, attributes):
        if tag not in TAGS:
            self.objections.append(f"element {tag}")
        self.in_style = tag == "style"
        for name, value in attributes:
            if name not in ATTRIBUTES:
                self.objections.append(f"attribute {name}")
            url = urllib.parse.urlsplit(value or "") if name == "href" else None
            if url and (url.scheme != "https" or url.hostname not in HOSTS):
                self.objections.append(f"link to {value}")

    def handle_data(self, data):
        # A style sheet loads nothing, and holds nothing from outside.
        if self.in_style and any(part in data.lower() for part in ("url(", "@import", "expression", "contoso")):
            self.objections.append("a style sheet that loads something")

    def handle_endtag(self, tag):
        self.in_style = False

    def handle_comment(self, data):
        self.objections.append("comment")


def same(name, found, expected):
    if found != expected:
        yield f"{name} is {found!r}, not {expected!r}"


def of_headers(message, wanted):
    names = [name.lower() for name in message.keys()]
    yield from (f"header {name}" for name in set(names) - HEADERS)
    yield from (f"header {name} twice" for name in set(names) if names.count(name) > 1)
    yield from same("subject", message["subject"], wanted["subject"])
    if len(wanted["subject"]) > 150 or any(ord(letter) < 32 for letter in message["subject"]):
        yield "the subject is long or has control characters"
    yield from same("from", [str(one) for one in message["from"].addresses], wanted["from"])
    yield from same("to", [str(one) for one in message["to"].addresses], wanted["to"])
    yield from same("id", message["x-scorewatch-id"], wanted["id"])
    yield from same("auto-submitted", message["auto-submitted"], "auto-generated")
    yield from same("date", email.utils.parsedate_to_datetime(message["date"]).isoformat(), wanted["date"])
    for name in ["message-id", "in-reply-to", "references"]:
        yield from same(name, message[name], wanted[name])


def objections(raw, wanted):
    if not raw.isascii() or any(len(line) > 998 for line in raw.split("\n")):
        yield "not every server takes such bytes or lines"
    message = email.message_from_bytes(raw.encode(), policy=email.policy.default)
    yield from of_headers(message, wanted)
    yield from (f"defect {defect!r}" for part in message.walk() for defect in part.defects)
    if message.get_content_type() != "multipart/alternative":
        yield f"it is {message.get_content_type()}"
        return
    parts = [part.get_content_type() for part in message.iter_parts()]
    yield from same("parts", parts, ["text/plain", "text/html"])
    text, page = (part.get_content().replace("\r\n", "\n").strip("\n") for part in message.iter_parts())
    yield from same("text", text, wanted["text"].strip("\n"))
    yield from same("html", page, wanted["html"].strip("\n"))
    parser = Page()
    parser.feed(page)
    yield from parser.objections
    if wanted["short_id"] not in text or wanted["short_id"] not in page:
        yield "the short id is not shown"


judged = refused = 0
for line in sys.stdin:
    judged += 1
    wanted = json.loads(line)
    found = list(objections(wanted["stored"], wanted))
    # A judge that sees nothing wrong in these is blind.
    for what, other in [
        ("header", wanted["stored"].replace("Auto-Submitted:", "Bcc: a@evil.example\nAuto-Submitted:", 1)),
        ("text", wanted["stored"].replace("Scorewatch", "Scorewotch")),
    ]:
        if not list(objections(other, wanted)):
            found.append(f"a changed {what} passed")
    if found:
        refused += 1
        print("; ".join(found)[:2000], file=sys.stderr)
print(f"{judged} judged, {refused} refused")
sys.exit(1 if refused or not judged else 0)
