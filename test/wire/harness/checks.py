"""Assertions that say what was there and what was wanted."""


class Skipped(Exception):
    """What the test is about is not to be had on this machine."""


def skip(why):
    raise Skipped(why)


def expect(got, wanted, about=""):
    if got != wanted:
        raise AssertionError(f"{about or 'value'}: got {got!r}, wanted {wanted!r}")


def expect_in(part, whole, about=""):
    if part not in whole:
        raise AssertionError(f"{about or 'content'}: {part!r} is not in {whole!r}")


def expect_true(truth, about):
    if not truth:
        raise AssertionError(about)
