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
    ("KiB", lambda n: n.get("memory")),
    ("ms", lambda n: n.get("ms")),
)

# What the chart shows: a scene, a row, and what it is called there.
BARS = (
    ("tpdu-t0", "open", "open a reader"),
    ("tpdu-t0", "short APDU", "short APDU, T=0"),
    ("tpdu-t1", "short APDU", "short APDU, T=1"),
    ("short", "short APDU", "short APDU, short APDU level"),
    ("extended", "short APDU", "short APDU, extended APDU level"),
    ("tpdu-t1", "64 KiB to the card and back", "64 KiB and back, T=1 TPDU"),
    ("extended", "64 KiB to the card and back", "64 KiB and back, extended APDU"),
)
KINDS = (
    ("messages", "messages", COLUMNS[0][1]),
    ("frames of 1 ms", "frames", COLUMNS[3][1]),
    ("system calls", "calls", COLUMNS[5][1]),
    ("instructions", "work", COLUMNS[7][1]),
)
STYLE = """
text { font: 13px sans-serif; fill: #222 } .small { font-size: 11px } .line { stroke: #888; stroke-dasharray: 3 3 }
.messages { fill: #4269d0 } .frames { fill: #d08a1d } .calls { fill: #3a9d5d } .work { fill: #b0467c }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .line { stroke: #999 } .messages { fill: #7d9bf0 }
.frames { fill: #e8b060 } .calls { fill: #6cc98c } .work { fill: #dc84b4 } }
"""



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


def shares(results):
    """(what, [(kind, class, ours divided by theirs)]) for each row of the chart that was measured."""
    for scene, row, title in BARS:
        drivers = results.get(scene, {}).get(row, {})
        if set(drivers) != {"ours", "libccid"}:
            continue
        pairs = [(kind, css, value(drivers["ours"]), value(drivers["libccid"])) for kind, css, value in KINDS]
        yield title, [(kind, css, ours / theirs) for kind, css, ours, theirs in pairs if ours is not None and theirs]


def chart(results, out):
    """Bars: how much of libccid's is ours. The vertical line is libccid."""
    left, full, bar, y = 250, 400, 12, 50
    rows = list(shares(results))
    height = y + sum(len(bars) * (bar + 2) + 14 for _, bars in rows)
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {height}" role="img" '
          'aria-label="What openccid needs, as a share of what libccid needs">', file=out)
    print(f"<style>{STYLE}</style>", file=out)
    for i, (kind, css, _) in enumerate(KINDS):
        print(f'<rect class="{css}" x="{left + i * 115}" y="8" width="10" height="10"/>'
              f'<text class="small" x="{left + i * 115 + 14}" y="17">{kind}</text>', file=out)
    print(f'<text class="small" x="{left + full}" y="36" text-anchor="middle">libccid = 100 %</text>', file=out)
    print(f'<path class="line" d="M{left + full} 42V{height - 8}"/>', file=out)
    for title, bars in rows:
        print(f'<text x="{left - 10}" y="{y + 16}" text-anchor="end">{title}</text>', file=out)
        for _, css, share in bars:
            width = min(share, 1.1) * full
            print(f'<rect class="{css}" x="{left}" y="{y}" width="{width:.1f}" height="{bar}"/>'
                  f'<text class="small" x="{left + width + 4:.1f}" y="{y + 10}">{share:.0%}</text>', file=out)
            y += bar + 2
        y += 14
    print("</svg>", file=out)


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
