# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running a scene with one driver inside the simulator, and counting what it does; see host.c, count.c and scenes.py."""
import glob
import mmap
import os
import re
import struct
import subprocess
import tempfile
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
WHO = ("driver", "libusb")
WHAT = ("allocations", "copied", "ioctl", "poll", "timer", "read", "write", "sleep", "wait")
WHATS = 16  # count.h
COUNTS_SIZE = 8 * WHATS * len(WHO)
MESSAGE = re.compile(r"^([0-9A-F]{2}) \S+ +(\d+)$", re.M)


class Failed(Exception):
    """A driver did not do what it was told."""


# ---- the simulator ------------------------------------------------------------------------------------------------------

def ctl(*words):
    return subprocess.run([os.environ["CCID_SIM"], "ctl", *words], check=True, capture_output=True, text=True,
                          env={k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}).stdout


def simulator():
    """What went over the wire so far, as numbers. Messages are counted to the reader."""
    text = ctl("stats")
    types = {kind: int(n) for kind, n in MESSAGE.findall(text)}
    named = dict(line.rsplit(" ", 1) for line in text.splitlines() if line)
    return {
        "messages": sum(n for kind, n in types.items() if int(kind, 16) < 0x80),
        "status messages": types.get("65", 0),
        "control transfers": int(named["class requests"]),
        "urbs": int(named["transfers"]),
        "frames of 1 ms": int(named["frames of 1 ms"]),
        "frames of 125 us": int(named["frames of 125 us"]),
        "violations": int(named["violations"]),
    }


# ---- the counting library -----------------------------------------------------------------------------------------------

class Counts:
    """The file that count.c counts in."""

    def __init__(self, folder, path=None):
        """A new one in the folder, unless there is one already."""
        self.path = path or os.path.join(folder, "counts")
        if not path:
            with open(self.path, "wb") as file:
                file.write(bytes(COUNTS_SIZE))
        with open(self.path, "r+b") as file:
            self.bytes = mmap.mmap(file.fileno(), 0)

    def now(self):
        values = struct.unpack(f"{WHATS * len(WHO)}Q", self.bytes[:COUNTS_SIZE])
        result = {}
        for i, who in enumerate(WHO):
            for j, what in enumerate(WHAT):
                result[f"{who} {what}"] = values[i * WHATS + j]
        return result


def threads(pid):
    """How often each thread has gone to sleep; named threads by their name."""
    result = Counter()
    for task in glob.glob(f"/proc/{pid}/task/*/status"):
        try:
            with open(task, encoding="ascii") as file:
                text = file.read()
        except OSError:
            continue
        name = "listener" if "Name:\tlistener" in text else "others"
        result[f"{name} switches"] += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M)[1])
    result.setdefault("listener switches", 0)
    return dict(result)


def memory(pid):
    """Private memory in KiB."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        text = file.read()
    return sum(int(n) for n in re.findall(r"^Private_(?:Clean|Dirty):\s+(\d+) kB", text, re.M))


# ---- strace ------------------------------------------------------------------------------------------------------------

# The answer of the simulator; umockdev's locks; the file that says how long the simulated system has slept.
UNCOUNTED = ("recvmsg", "rt_sigprocmask")
SLEPT = "/usbfs.slept"
CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(?:\(| resumed>)")


def system_calls(path):
    """
    The system calls of each marked operation, by name. A call on the simulated device node is a pair of sendmsg and recvmsg to the
    simulator: it counts once, as ioctl. "listener" are those of threads that were there before and are not the one that marks.
    """
    operations, now, marker = [], None, None
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if 'write(-1, "begin"' in line:
                now, marker = Counter(), line.split()[0]
            elif 'write(-1, "end"' in line and now is not None:
                operations.append(dict(now))
                now = None
            elif now is not None:
                match = CALL.match(line)
                if not match or "<unfinished" in line or match[2] in UNCOUNTED or SLEPT in line:
                    continue
                name = "ioctl" if match[2] == "sendmsg" else match[2]
                now[name] += 1
                now["all"] += 1
                if match[1] != marker:
                    now["of other threads"] += 1
    return operations


# ---- callgrind ---------------------------------------------------------------------------------------------------------

NAMED = re.compile(r"^(c?)(ob|fn|fl|fi|fe)=\((\d+)\)(?: (.*))?$")
SIMULATION = ("libccid-sim-preload", "libumockdev-preload")
GROUPS = (("driver", ("libopenccid.so", "libccid.so")), ("libusb", ("libusb-1.0",)), ("host", ("/host", "lt-host")))


def group_of(name):
    if any(word in name for word in SIMULATION):
        return "simulation"
    for group, words in GROUPS:
        if any(word in name for word in words):
            return group
    return "libc"


def instructions(path):
    """
    Instructions of an operation: in the driver's own code, and in all that it needs; what the simulation does for a system call,
    with what that calls, is left out. Also by function.
    """
    names, own, simulated, functions = {}, Counter(), 0, Counter()
    ob = callee = fn = None
    inclusive = False
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            match = NAMED.match(line)
            if match:
                kind = match[2] if match[2] in ("ob", "fn") else "file"
                key = (kind, match[3])
                if match[4]:
                    names[key] = match[4]
                if kind == "ob" and match[1]:
                    callee = names[key]
                elif kind == "ob":
                    ob = names[key]
                elif kind == "fn" and not match[1]:
                    fn, callee = names[key], None
            elif line.startswith("calls="):
                inclusive = True
            elif line[:1].isdigit() or line[:1] in "+-*":
                cost = int(line.split()[1])
                if inclusive:
                    target = callee or ob
                    if group_of(target) == "simulation" and group_of(ob) != "simulation":
                        simulated += cost
                    inclusive, callee = False, None
                else:
                    own[group_of(ob)] += cost
                    if group_of(ob) not in ("simulation", "host"):
                        functions[f"{group_of(ob)}: {fn}"] += cost
    total = sum(own.values()) - own["host"] - simulated
    return {"instructions": total, "driver instructions": own["driver"], "libusb instructions": own["libusb"],
            "functions": functions.most_common(60)}


# ---- one run -----------------------------------------------------------------------------------------------------------

class Host:
    """host.c with one driver, under a tool: "count", "strace" or "callgrind"."""

    def __init__(self, tool, library, name, folder):
        self.tool, self.folder = tool, folder
        self.counts = Counts(folder)
        bench = os.path.join(os.environ["top_builddir"], "tests/bench")
        preload = [os.environ["CCID_SIM_PRELOAD"], "libumockdev-preload.so.0"]
        if tool == "count":
            preload.insert(0, os.path.join(bench, ".libs/libcount.so"))
        env = dict(os.environ, LD_BIND_NOW="1", BENCH_COUNTS=self.counts.path, LD_PRELOAD=":".join(preload))
        command = [os.path.join(bench, "host"), library, name]
        if tool == "strace":
            preload_later = env.pop("LD_PRELOAD")
            command = ["strace", "-f", "-qq", "-s", "200", "-o", self.file("strace"), "-E", f"LD_PRELOAD={preload_later}", *command]
        elif tool == "callgrind":
            command = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={self.file('callgrind')}", *command]
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.answer("load")

    def file(self, name):
        return os.path.join(self.folder, name)

    def answer(self, what):
        line = self.process.stdout.readline()
        # A driver may print, too.
        while line and not line.startswith(("ok", "error")):
            line = self.process.stdout.readline()
        if not line.startswith("ok"):
            raise Failed(f"{what}: {line.strip() or 'the host has ended'}")
        return line.split()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer(line)

    def snapshot(self):
        now = {**simulator(), **self.counts.now(), "memory": 0}
        if self.tool == "count":
            now.update(threads(self.process.pid), memory=memory(self.process.pid))
        return now

    def end(self):
        self.process.stdin.close()
        self.process.wait(30)


def run(tool, library, name, steps):
    """The rows of one scene: a dictionary for each step that has a name."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        host = Host(tool, library, name, folder)
        try:
            for step in steps:
                if step.ctl:
                    ctl(*step.ctl)
                before = host.snapshot()
                told = host.tell(step.line)
                after = host.snapshot()
                results.append({key: (after[key] - before[key]) / step.per for key in after if key in before})
                results[-1].update(failed=int(told[2]), ms=float(told[3]) / step.per)
        finally:
            host.end()
        if tool == "strace":
            for result, step, calls in zip(results, steps, system_calls(host.file("strace"))[1:]):
                result["calls"] = {key: n / step.per for key, n in calls.items()}
        elif tool == "callgrind":
            for i, (result, step) in enumerate(zip(results, steps)):
                counted = instructions(host.file("callgrind") + f".{i + 2}")
                functions = counted.pop("functions")
                result.update({key: n / step.per for key, n in counted.items()})
                result["functions"] = [[key, n / step.per] for key, n in functions]
            results.append(None)
    return [{"name": step.name, **result} for step, result in zip(steps, results) if step.name and result]
