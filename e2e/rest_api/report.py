"""Checks, and how they went."""

import traceback


class Checks(list):
    """Functions that take the running server, in order; `@checks` adds one. What it is called is what it asserts."""

    def __call__(self, function):
        self.append(function)
        return function


class Report:
    """Counts, and prints a line for each check that fails."""

    def __init__(self):
        self.passed = self.failed = 0

    def run(self, group, checks, server):
        for check in checks:
            try:
                check(server)
            except Exception as error:
                self.count(f"{group}: {check.__name__.replace('_', ' ')}", explain(error))
            else:
                self.count()

    def count(self, failed=None, why=""):
        if failed is None:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {failed}: {why}", flush=True)

    def end(self):
        """Prints the totals and tells the exit code."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 0 if self.passed and not self.failed else 1


def explain(error):
    """What went wrong and where in the check, in a line."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/rest_api/" in frame.filename]
    # Not where `same` raises, but who called it.
    frame = [frame for frame in ours if frame.name not in ("same", "raises")][-1]
    text = " ".join(str(error).split())[:600]
    return f"{type(error).__name__} {text} (line {frame.lineno}: {frame.line})"


def same(got, wanted):
    if got != wanted:
        raise AssertionError(f"{got!r} instead of {wanted!r}")


def raises(kind, function):
    """The error of this kind that the function raises."""
    try:
        result = function()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} but {result!r}")
