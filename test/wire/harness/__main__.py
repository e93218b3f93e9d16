"""python3 -m harness FILE [NAME...]: runs the tests of one file (those whose name contains a NAME) and prints TAP."""
import faulthandler
import importlib.util
import signal
import sys
import traceback
from pathlib import Path

from . import registry, server
from .checks import Skipped

STOP_SECONDS = 60


class TookTooLong(Exception):
    pass


def bounded(seconds, function):
    def ring(*ignored):
        raise TookTooLong(f"took longer than {seconds} s")

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        function()
    finally:
        signal.alarm(0)


def outcome(number, name, seconds, function):
    """Runs one case; prints its line, and on failure the traceback as comments. True when it passed."""
    try:
        bounded(seconds, function)
    except Skipped as why:
        print(f"ok {number} - {name} # SKIP {why}", flush=True)
        return True
    except Exception:  # pylint: disable=broad-except
        print(f"not ok {number} - {name}")
        for line in traceback.format_exc().splitlines():
            print(f"#   {line}")
        sys.stdout.flush()
        return False
    print(f"ok {number} - {name}", flush=True)
    return True


def stop_all():
    complaints = []
    for one in server.started:
        try:
            one.stop()
        except AssertionError as complaint:
            complaints.append(str(complaint))
        one.remove()
    if complaints:
        raise AssertionError("\n".join(complaints))


def main():
    path, names = Path(sys.argv[1]), sys.argv[2:]
    faulthandler.enable()
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    title = path.stem.removeprefix("test_")

    def load():
        spec.loader.exec_module(module)

    if not outcome(0, f"{title}: the file loads", 10, load):
        return 1
    cases = [case for case in registry.registered if not names or any(n in f"{title} {case.name}" for n in names)]
    good = [outcome(i + 1, f"{title}: {c.name}", c.seconds, c.function) for i, c in enumerate(cases)]
    if server.started:
        good.append(outcome(len(good) + 1, f"{title}: the servers stop with 0 and no complaint", STOP_SECONDS, stop_all))
    return 0 if all(good) else 1


sys.exit(main())
