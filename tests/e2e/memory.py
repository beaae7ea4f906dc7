# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is in the memory of the pcscd that the simulator has started, seen from outside."""
import os
import re

ARENA = 64 << 20  # threads that allocate get heaps of their own, at such addresses
LONGEST = 1 << 30


def find_pcscd():
    """The process id of the pcscd that has our socket."""
    socket = f"PCSCLITE_CSOCK_NAME={os.environ['PCSCLITE_CSOCK_NAME']}".encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm") as comm, open(f"/proc/{pid}/environ", "rb") as environ:
                if comm.read().strip() == "pcscd" and socket in environ.read().split(b"\0"):
                    return int(pid)
        except OSError:
            pass  # it is gone, or none of our business
    return None


def owner(start, name):
    """Who has this range of addresses: "heap", "driver", "stacks" (of threads, and what else was mapped), or a file."""
    if name == "[heap]" or (not name and start % ARENA == 0):
        return "heap"
    if "libopenccid" in name:
        return "driver"
    return os.path.basename(name) or "stacks"


def ranges(pid):
    """What can be written: first address, size, owner. The data of a library that has no name of its own stands behind it."""
    last = ""
    with open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            start, end, access, name = re.match(r"(\S+)-(\S+) (\S+) \S+ \S+ \S+\s*(.*)", line).groups()
            start, end = int(start, 16), int(end, 16)
            if access.startswith("rw") and end - start <= LONGEST:
                behind = not name and last and last[1] == start and "libopenccid" in last[0]
                yield start, end - start, "driver" if behind else owner(start, name)
            last = (name, end)


def search(pid, patterns):
    """How often any of them is found, by owner."""
    found = {}
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, size, who in ranges(pid):
            try:
                memory.seek(start)
                content = memory.read(size)
            except OSError:
                continue  # gone meanwhile
            count = sum(content.count(pattern) for pattern in patterns)
            if count:
                found[who] = found.get(who, 0) + count
    return found
