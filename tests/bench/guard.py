# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Has anything become dearer? What this driver needs for each operation is counted and compared with the file named; nothing in it depends
on a clock. --update writes that file anew: the difference then belongs into the commit that makes it.
"""
import json
import os
import platform
import re
import sys

from play import BUILD, libraries, play, tools

EXACT = ("messages", "control transfers", "urbs", "frames of 1 ms", "frames of 125 us", "driver allocations",
         "driver sleep", "libusb timer", "violations")
# When a device is opened or closed libusb has a thread of its own, which polls when it likes.
STEADY = ("libusb ioctl", "libusb poll", "driver ioctl", "driver poll", "driver read", "driver write")
SCENES = ("tpdu-t0", "tpdu-t1", "short", "extended")
INSTRUCTIONS = "tpdu-t0"
MORE = 1.05


def flags():
    """Those of the user, but for what does not change the code."""
    with open(os.path.join(BUILD, "Makefile"), encoding="utf-8") as file:
        words = re.search(r"^CFLAGS =(.*)$", file.read(), re.M)[1].split()
    return " ".join(word for word in words if not word.startswith("-g"))


def builder():
    """How many instructions there are depends on who compiled them, and how."""
    info = open(libraries()["ours"], "rb").read()
    at = info.find(b"GCC: (")
    name = info[at:info.find(b"\0", at)].decode(errors="replace") if at >= 0 else "unknown"
    return f"{name}, {platform.machine()}, {flags()}"


def count():
    library, found = libraries()["ours"], {}
    for scene in SCENES:
        for row in play(scene, "count", library):
            keys = EXACT + (() if row["name"] in ("open", "close") else STEADY)
            found[f"{scene}: {row['name']}"] = {key: row[key] for key in keys if row[key]}
    return found


def count_instructions():
    if "callgrind" not in tools(INSTRUCTIONS):
        return None
    return {row["name"]: row["driver instructions"] for row in play(INSTRUCTIONS, "callgrind", libraries()["ours"])}


def compare(known, found):
    """One line for each figure that has grown, or has become less without the file saying so."""
    for name in sorted(set(known) | set(found)):
        was, now = known.get(name), found.get(name)
        if was is None or now is None:
            yield f"{name}: the operation is {'new' if was is None else 'gone'}"
            continue
        for key in sorted(set(was) | set(now)):
            if was.get(key, 0) != now.get(key, 0):
                yield f"{name}: {key}: {was.get(key, 0):g} before, {now.get(key, 0):g} now"


def compare_instructions(known, found):
    for name, now in found.items():
        was = known.get(name)
        if was and now > was * MORE:
            yield f"{name}: {was:.0f} instructions in the driver before, {now:.0f} now"


def main():
    update, path = sys.argv[1] == "--update", sys.argv[-1]
    found, by = count(), builder()
    instructions = count_instructions()
    if update:
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"counts": found, "built by": by, "instructions": instructions}, file, indent=1, sort_keys=True)
            file.write("\n")
        return 0
    with open(path, encoding="utf-8") as file:
        known = json.load(file)
    worse = list(compare(known["counts"], found))
    if instructions is None:
        print("valgrind is not installed: instructions are not counted")
    elif known["built by"] != by:
        print(f"instructions are not compared: built by {by}, and the numbers are of {known['built by']}")
    else:
        worse += compare_instructions(known["instructions"], instructions)
    print("\n".join(worse) if worse else f"{len(found)} operations cost what they did")
    return 1 if worse else 0


sys.exit(main())
