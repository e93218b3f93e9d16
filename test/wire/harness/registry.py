"""The tests of one file, in the order in which they are written."""
import re

registered = []


class Case:
    def __init__(self, function, rules, seconds):
        self.function = function
        self.rules = rules
        self.seconds = seconds
        words = function.__name__.replace("_", " ")
        self.name = f"{words} [{' '.join(rules)}]" if rules else words


def test(*rules, seconds=10):
    """Registers the decorated function as a test of `rules` (R001...) that may take `seconds`."""
    for rule in rules:
        if not re.fullmatch(r"R\d{3}", rule):
            raise ValueError(f"not a rule id: {rule!r}")

    def register(function):
        registered.append(Case(function, rules, seconds))
        return function
    return register
