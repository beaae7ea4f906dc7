# SPDX-License-Identifier: LGPL-2.1-or-later
"""Playing a scene: the simulator, and in it inside.py with a driver and a tool."""
import glob
import json
import os
import shutil
import subprocess
import sys

from scenes import SCENES

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ["top_builddir"]
SOURCE = os.environ["top_srcdir"]


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
