# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Does the sandbox of tests/e2e/sandbox bite? Argument: "inside", where each of these is refused, or "outside", where root may do
each of them, so that a refusal inside is the sandbox's.
"""
import ctypes
import errno
import os
import pathlib
import signal
import socket
import stat
import sys
import tempfile

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
PAGE, FAILED = 4096, ctypes.c_void_p(-1).value
READ, WRITE, EXEC, PRIVATE_ANONYMOUS = 1, 2, 4, 0x22


def mapped(protection):
    return LIBC.mmap(None, ctypes.c_size_t(PAGE), protection, PRIVATE_ANONYMOUS, -1, ctypes.c_long(0))


def write_and_execute():
    return mapped(READ | WRITE | EXEC) != FAILED


def execute_what_was_written():
    return LIBC.mprotect(ctypes.c_void_p(mapped(READ | WRITE)), ctypes.c_size_t(PAGE), READ | EXEC) == 0


def internet():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
        return True
    except OSError as error:
        return error.errno != errno.EAFNOSUPPORT


def write_usr():
    return not os.statvfs("/usr").f_flag & os.ST_RDONLY


def write_etc():
    return not os.statvfs("/etc").f_flag & os.ST_RDONLY


def look_home():
    try:
        os.listdir("/root")
        return True
    except OSError:
        return False


def look_at_init():
    return os.path.exists("/proc/1/comm")


def other_devices():
    return os.path.exists("/dev/kmsg") or os.path.exists("/dev/ptmx")


def capabilities():
    status = pathlib.Path("/proc/self/status").read_text(encoding="ascii")
    sets = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("CapEff", "CapBnd", "CapPrm"))]
    return any(sets)


def be_root():
    return os.geteuid() == 0


def new_privileges():
    return "NoNewPrivs:\t0" in pathlib.Path("/proc/self/status").read_text(encoding="ascii")


def set_user_id():
    with tempfile.NamedTemporaryFile() as file:
        try:
            os.chmod(file.name, stat.S_ISUID | 0o700)
            return True
        except PermissionError:
            return False


def in_child(call, *args):
    """In a process of its own, since it may be killed for it."""
    child = os.fork()
    if child == 0:
        ctypes.set_errno(0)
        os._exit(0 if call(*args) >= 0 else 1)
    return os.waitpid(child, 0)[1]


def new_namespace():
    return in_child(LIBC.unshare, 0x00020000) == 0


def other_personality():
    return in_child(LIBC.personality, 0x0008) == 0


def privileged_call():
    """chroot() is in @privileged: whoever makes it is killed."""
    return not os.WIFSIGNALED(in_child(LIBC.chroot, b"/")) or signal.SIGSYS != os.WTERMSIG(in_child(LIBC.chroot, b"/"))


def resources_call():
    """setpriority() is in @resources."""
    return not os.WIFSIGNALED(in_child(LIBC.setpriority, 0, 0, 0))


TRIES = (write_and_execute, execute_what_was_written, internet, write_usr, write_etc, look_home, look_at_init, other_devices,
         capabilities, be_root, new_privileges, set_user_id, new_namespace, other_personality, privileged_call, resources_call)


def main(where):
    wanted = where == "outside"
    wrong = [attempt.__name__ for attempt in TRIES if attempt() != wanted]
    for name in wrong:
        print(f"FAIL: {where} the sandbox: {name} is {'refused' if wanted else 'possible'}")
    print(f"{len(TRIES) - len(wrong)} of {len(TRIES)} as they should be {where} the sandbox")
    sys.exit(1 if wrong else 0)


main(sys.argv[1])
