# SPDX-License-Identifier: LGPL-2.1-or-later
"""The numbers as a table for a terminal, and as a chart."""

# What a column is called, and how it follows from the numbers of a row; None: not measured.
COLUMNS = (
    ("messages", lambda n: n.get("messages")),
    ("control", lambda n: n.get("control transfers")),
    ("URBs", lambda n: n.get("urbs")),
    ("frames", lambda n: n.get("frames of 1 ms")),
    ("uframes", lambda n: n.get("frames of 125 us")),
    ("sys calls", lambda n: n["calls"].get("all", 0) if "calls" in n else None),
    ("timers", lambda n: n["calls"].get("timerfd_settime", 0) if "calls" in n else None),
    ("instr.", lambda n: n.get("instructions")),
    ("in driver", lambda n: n.get("driver instructions")),
    ("allocs", lambda n: n.get("driver allocations")),
    ("copied", lambda n: n.get("driver copied")),
    ("wake-ups", lambda n: n.get("listener switches")),
)


def short(value):
    if value is None:
        return "-"
    if value >= 1e6:
        return f"{value / 1e6:.2f}M"
    if value >= 1e5:
        return f"{value / 1e3:.0f}k"
    return f"{value:.0f}" if value == int(value) or value >= 100 else f"{value:.2f}"


def ratio(ours, theirs):
    if ours is None or theirs is None:
        return "-"
    if theirs == 0:
        return "=" if ours == 0 else "+"
    return f"{ours / theirs:.2f}"


def chart(results, out):
    """Nothing yet."""


def table(scene, rows, out):
    print(f"\n{scene.title} ({scene.reader}, card {scene.card})", file=out)
    print(f"{'':34}{'':9}" + "".join(f"{name:>10}" for name, _ in COLUMNS), file=out)
    for name, drivers in rows.items():
        cells = {driver: [column(numbers) for _, column in COLUMNS] for driver, numbers in drivers.items()}
        for driver, values in cells.items():
            failed = " (refused)" if drivers[driver].get("failed") else ""
            print(f"{name:34}{driver:9}" + "".join(f"{short(v):>10}" for v in values) + failed, file=out)
            name = ""
        if len(cells) == 2:
            pairs = zip(*cells.values())
            print(f"{'':34}{'ratio':9}" + "".join(f"{ratio(*pair):>10}" for pair in pairs), file=out)
