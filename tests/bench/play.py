# SPDX-License-Identifier: LGPL-2.1-or-later
"""Playing a scene: the simulator, and in it inside.py with a driver and a tool."""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

from measure import COUNTS_SIZE
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


def rows_of(command, env, what):
    """What inside.py or client.py printed at the end; leaves where it failed."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    try:
        rows = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        rows = {"failed": done.stderr.strip() or "no answer"}
    if isinstance(rows, dict):
        sys.exit(f"{what}: {rows['failed']}")
    return rows


def python_with_pyscard():
    """It need not be the first one in PATH; None."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import smartcard"], capture_output=True, check=False).returncode == 0:
            return python
    return None


def play_pcscd(driver, library):
    """The same for a client of the real pcscd with one driver."""
    python = python_with_pyscard()
    if not python or not shutil.which("pcscd", path=os.environ["PATH"] + ":/usr/sbin"):
        print("pcscd or python3-pyscard is not installed: nothing is measured under pcscd")
        return []
    with tempfile.TemporaryDirectory() as folder:
        drivers, counts = os.path.join(folder, "drivers"), os.path.join(folder, "counts")
        if driver == "ours":
            subprocess.run([f"{SOURCE}/tests/sim/make-bundle", BUILD, drivers], check=True)
        else:
            os.mkdir(drivers)
            os.symlink(library[:library.index("/Contents/")], os.path.join(drivers, "ifd-ccid.bundle"))
        with open(counts, "wb") as file:
            file.write(bytes(COUNTS_SIZE))
        env = dict(environment(), BENCH_COUNTS=counts, CCID_SIM_PCSCD_PRELOAD=f"{BUILD}/tests/bench/.libs/libcount.so")
        return rows_of([f"{BUILD}/tests/sim/ccid-sim", "--readers", f"{SOURCE}/readers", "--reader", "04e6:5116", "--pcscd",
                        "--drivers", drivers, "--no-preload", "--", python, "-B", os.path.join(HERE, "client.py")],
                       env, f"pcscd, {driver}")


def play(scene, tool, library):
    """The rows of a scene with one driver under one tool."""
    what = SCENES[scene]
    command = [f"{BUILD}/tests/sim/ccid-sim", "--readers", f"{SOURCE}/readers", "--reader", what.reader, "--card", what.card,
               "--count", str(what.readers), "--no-preload", "--",
               sys.executable, "-B", os.path.join(HERE, "inside.py"), tool, scene, library]
    return rows_of(command, environment(), f"{scene}, {tool}, {os.path.basename(library)}")
