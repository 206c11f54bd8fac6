"""Makes links that leave docs/ work in the book: a page of the project becomes a chapter, and of everything else its path is shown.

mdBook runs this as a preprocessor: the book comes in as JSON, and goes out as JSON.
"""

import json
import posixpath
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Pages of the project that are chapters, by their path in the project.
CHAPTERS = {
    "README.md": "project/overview.md",
    "CHANGELOG.md": "project/changelog.md",
    "SECURITY.md": "project/security.md",
    "RELIABILITY.md": "project/reliability.md",
    "BENCHMARKS.md": "project/benchmarks.md",
    "ARCHITECTURE.md": "project/architecture.md",
    "CONTRIBUTING.md": "project/contributing.md",
}

LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
FENCE = re.compile(r"^\s*```")


def with_links(text, change):
    """The text of a page with what `change` makes of each link to a file: of the whole link, `!` or nothing, words, path and heading."""

    def link(found):
        image, words, target = found.groups()
        path, _, heading = target.partition("#")
        if "://" in target or target.startswith("mailto:") or not path:
            return found.group(0)
        return change(found.group(0), image, words, path, heading)

    lines, is_code, prose = [], False, []
    for line in text.splitlines():
        is_fence = bool(FENCE.match(line))
        if is_fence or is_code:
            lines.append(LINK.sub(link, "\n".join(prose))) if prose else None
            prose = []
            lines.append(line)
        else:
            prose.append(line)
        is_code ^= is_fence
    if prose:
        lines.append(LINK.sub(link, "\n".join(prose)))
    return "\n".join(lines) + "\n"


def in_project(place, path):
    """Where a link of the page at `place` leads, by its path in the project."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(place), path))


def unlinked(words, of_project):
    """What stays of a link to a file that is not there: its words, and the file's path unless they contain it."""
    return words if of_project in words else f"{words} (`{of_project}`)"


def rewritten(text, place, chapter):
    """The text of a page at `place` in the project, with its links as they must be in `chapter` of the book."""

    def change(_, image, words, path, heading):
        of_project = in_project(place, path)
        if of_project in CHAPTERS:
            in_book = CHAPTERS[of_project]
        elif of_project.startswith("docs/"):
            in_book = of_project.removeprefix("docs/")
        else:
            return unlinked(words, of_project)
        # mdBook makes an index of a README.
        in_book = re.sub(r"(^|/)README\.md$", r"\1index.md", in_book)
        path = posixpath.relpath(in_book, posixpath.dirname(chapter) or ".")
        return f"{image}[{words}]({path}{'#' + heading if heading else ''})"

    return with_links(text, change)


def walk(items):
    for item in items:
        chapter = item.get("Chapter") if isinstance(item, dict) else None
        if chapter is None:
            continue
        path = chapter["source_path"]
        of_project = next((name for name, stub in CHAPTERS.items() if stub == path), None)
        if of_project:
            text = (ROOT / of_project).read_text(encoding="utf-8")
            chapter["content"] = rewritten(text, of_project, path)
        elif path:
            chapter["content"] = rewritten(chapter["content"], f"docs/{path}", path)
        walk(chapter["sub_items"])


def main():
    if sys.argv[1:2] == ["supports"]:
        return
    _, book = json.load(sys.stdin)
    walk(book.get("items") or book.get("sections") or [])
    json.dump(book, sys.stdout)


if __name__ == "__main__":
    main()
