# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What each operation costs with this driver and with libccid, counted: both in turn on the same simulated reader. See doc/performance.md.
"""
import argparse
import json
import os
import sys

import report
from play import libraries, play, play_pcscd, tools
from scenes import PCSCD, SCENES

TRIES = 3


def rows_of(scene, tool, driver, library):
    """What a driver that is not ours cannot do once it may do the next time; ours has to do it."""
    for _ in range(TRIES - 1 if driver != "ours" else 0):
        try:
            return play(scene, tool, library)
        except SystemExit as failed:
            print(f"tried again: {failed}")
    return play(scene, tool, library)


def measure(scene, drivers):
    """{row: {driver: numbers}}; what a tool counts best is taken from its run."""
    rows = {}
    for driver, library in drivers.items():
        for tool in tools(scene):
            for row in rows_of(scene, tool, driver, library):
                numbers = rows.setdefault(row.pop("name"), {}).setdefault(driver, {})
                numbers.update({key: value for key, value in row.items() if key not in numbers})
                if tool == "callgrind":
                    numbers["functions"] = row["functions"]
    return rows


def measure_pcscd(drivers):
    """As measure(), for what a client calls."""
    rows = {}
    for driver, library in drivers.items():
        for row in play_pcscd(driver, library):
            rows.setdefault(row.pop("name"), {})[driver] = row
    return rows


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", action="append", choices=sorted({*SCENES, "pcscd"}), help="only this one; may be repeated")
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
    for scene in wanted.scene or [*SCENES, "pcscd"]:
        results[scene] = measure_pcscd(drivers) if scene == "pcscd" else measure(scene, drivers)
        report.table(SCENES.get(scene, PCSCD), results[scene], sys.stdout)
        sys.stdout.flush()
    if wanted.json:
        with open(wanted.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1, sort_keys=True)
    if wanted.chart:
        with open(wanted.chart, "w", encoding="utf-8") as file:
            report.chart(results, file)


main()
