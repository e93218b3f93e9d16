"""Makes single calls of the program fail, through the library test/support/faults.c."""
import atexit
import mmap
import os
import re
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

from .server import ROOT, SANITIZERS, Server, program

SOURCE = ROOT / "test/support/faults.c"
LAYOUT = "=IIIIQ"  # armed, nth, seen, failed, which: struct control

CALLS = re.search(r"enum call \{(.*?)CALLS\s*\}", SOURCE.read_text(encoding="utf-8"), re.DOTALL)[1]
CALLS = [name.lower() for name in re.findall(r"\w+", CALLS)]


# Our library stands before that of the sanitizer, and has from there what it gives. The libraries of the system keep no
# frame pointers by which their calls could be told.
BESIDE_SANITIZER = "verify_asan_link_order=0:fast_unwind_on_malloc=0:malloc_context_size=6"
# What a library of the system loses, a few bytes each time that it got no memory.
KNOWN_LEAKS = "leak:libwslay\n"


def plain_program():
    """The release build, also when the program under test is another one."""
    if program().parent.name not in ("asan", "tsan", "coverage"):
        return program()
    beside = program().parent.parent / "release/verdict"
    if not beside.exists():
        raise FileNotFoundError(f"{beside} is not there: ./dev build release makes it")
    return beside


class Faults:
    """with faults.failing(3): the third call from now fails. `seen` and `failed` tell what happened."""

    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="verdict-faults-"))
        atexit.register(shutil.rmtree, self.home, ignore_errors=True)
        library = self.home / "faults.so"
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC",
                        str(SOURCE), "-o", str(library)], check=True)
        known = self.home / "known-leaks"
        known.write_text(KNOWN_LEAKS)
        control = self.home / "control"
        control.write_bytes(bytes(struct.calcsize(LAYOUT)))
        with open(control, "r+b") as file:
            self.control = mmap.mmap(file.fileno(), struct.calcsize(LAYOUT))
        self.env = {"LD_PRELOAD": str(library), "VERDICT_FAULTS": str(control),
                    "ASAN_OPTIONS": f"{SANITIZERS['ASAN_OPTIONS']}:{BESIDE_SANITIZER}",
                    "LSAN_OPTIONS": f"suppressions={known}:print_suppressions=0"}

    def server(self, tree, sanitized=False, **more):
        """sanitized: the asan build, when that is under test: what is lost after a failure shows there. It bears no
        thread that begins while a call is to fail."""
        binary = program() if sanitized and program().parent.name == "asan" else plain_program()
        return Server(tree, binary=binary, env=self.env, **more)

    def arm(self, nth, calls=CALLS):
        which = sum(1 << CALLS.index(name) for name in calls)
        self.control[:] = struct.pack(LAYOUT, 0, nth, 0, 0, which)
        self.control[0:4] = struct.pack("=I", 1)

    def disarm(self):
        """Returns the name of the call that failed; None: there were fewer calls."""
        self.control[0:4] = struct.pack("=I", 0)
        failed = struct.unpack(LAYOUT, self.control[:])[3]
        return CALLS[failed - 1] if failed else None
