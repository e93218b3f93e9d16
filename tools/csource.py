"""What the gates share: finding C files and reading them without comments and strings."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# A comment, a string or a character constant, whichever begins first.
_OPAQUE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.DOTALL)


def files(folders, endings=(".c", ".h")):
    """The files below ROOT/folder that end so, sorted."""
    return sorted(p for f in folders for p in (ROOT / f).rglob("*") if p.suffix in endings and p.is_file())


def short(path):
    path = Path(path)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def blank(text):
    """The same text, same length, same lines, with comments and what quotes hold made spaces."""
    return _OPAQUE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def finish(complaints, summary):
    """Prints the complaints and the summary; the exit status of the gate."""
    for complaint in complaints:
        print(complaint)
    print(summary if not complaints else f"{len(complaints)} to mend")
    return 1 if complaints else 0
