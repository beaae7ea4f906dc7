# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What each operation costs with this driver and with libccid, counted: both in turn on the same simulated reader. See doc/performance.md.
"""
import argparse
import glob
import json
import os
import shutil
import subprocess
import sys

import report
from scenes import SCENES

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ["top_builddir"]
SOURCE = os.environ["top_srcdir"]
SKIP = 77


def libraries():
    """Our library as it was built, and libccid's as it is installed, or None."""
    theirs = [path for folder in ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/lib/*")
              for path in glob.glob(f"{folder}/pcsc/drivers/ifd-ccid.bundle/Contents/Linux/libccid.so")]
    return {"ours": os.path.join(BUILD, "src/.libs/libopenccid.so"), "libccid": theirs[0] if theirs else None}


def tools(scene):
    """What a scene is run under: those with idle time only count, as a tool would change how long things take."""
    found = ["count"]
    if shutil.which("strace"):
        found.append("strace")
    if shutil.which("valgrind") and "callgrind" in SCENES[scene].tools:
        found.append("callgrind")
    return found


def environment():
    simulator = os.path.join(BUILD, "tests/sim")
    return dict(os.environ, CCID_SIM=f"{simulator}/ccid-sim", OPENCCID_CONFIG=f"{BUILD}/no-settings",
                CCID_SIM_PRELOAD=f"{simulator}/.libs/libccid-sim-preload.so")


def play(scene, tool, library):
    """The rows of a scene with one driver under one tool."""
    what = SCENES[scene]
    command = [f"{BUILD}/tests/sim/ccid-sim", "--readers", f"{SOURCE}/readers", "--reader", what.reader, "--card", what.card,
               "--count", str(what.readers), "--no-preload", "--",
               sys.executable, os.path.join(HERE, "inside.py"), tool, scene, library]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    try:
        rows = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        rows = {"failed": done.stderr.strip() or "no answer"}
    if isinstance(rows, dict):
        sys.exit(f"{scene}, {tool}, {os.path.basename(library)}: {rows['failed']}")
    return rows


def measure(scene, drivers):
    """{row: {driver: numbers}}; what a tool counts best is taken from its run."""
    rows = {}
    for driver, library in drivers.items():
        for tool in tools(scene):
            for row in play(scene, tool, library):
                numbers = rows.setdefault(row.pop("name"), {}).setdefault(driver, {})
                numbers.update({key: value for key, value in row.items() if key not in numbers})
                if tool == "callgrind":
                    numbers["functions"] = row["functions"]
    return rows


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", action="append", choices=sorted(SCENES), help="only this one; may be repeated")
    parser.add_argument("--json", help="write all numbers there")
    parser.add_argument("--chart", help="write a chart there")
    parser.add_argument("--ours", help="another library in place of ours, to compare two states of it")
    return parser.parse_args()


def main():
    wanted = arguments()
    drivers = {name: path for name, path in libraries().items() if path and os.path.exists(path)}
    if wanted.ours:
        drivers["ours"] = wanted.ours
    if "libccid" not in drivers:
        print("libccid is not installed: there is nothing to compare with")
    results = {}
    for scene in wanted.scene or SCENES:
        results[scene] = measure(scene, drivers)
        report.table(SCENES[scene], results[scene], sys.stdout)
        sys.stdout.flush()
    if wanted.json:
        with open(wanted.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1, sort_keys=True)
    if wanted.chart:
        with open(wanted.chart, "w", encoding="utf-8") as file:
            report.chart(results, file)


main()
