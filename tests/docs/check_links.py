#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""usage: check_links.py PAGE... - every relative link leads to a file, and every #anchor to a heading."""
import pathlib
import re
import sys

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def without_code(text):
    return re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", text, flags=re.S))


def anchors(page):
    """As the usual renderers make them of headings."""
    found = set()
    for heading in re.findall(r"^#+ +(.*)$", re.sub(r"```.*?```", "", page.read_text(), flags=re.S), flags=re.M):
        words = re.sub(r"[^\w\- ]", "", heading.lower())
        found.add(words.replace(" ", "-"))
    return found


def wrong_links(page):
    for target in LINK.findall(without_code(page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        if not there.exists():
            yield f"{page}: {target}: there is no such file"
        elif anchor and there.suffix == ".md" and anchor not in anchors(there):
            yield f"{page}: {target}: there is no such heading"


wrong = [line for name in sys.argv[1:] for line in wrong_links(pathlib.Path(name))]
print("\n".join(wrong) or f"{len(sys.argv) - 1} pages: every link leads somewhere")
sys.exit(bool(wrong))
