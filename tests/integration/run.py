"""Runs the integration tests against the local stack whose address is in the environment.

    eval "$(tools/local-stack env)"
    /usr/bin/python3 tests/integration/run.py [--fast] [-k TEXT]... [--totals FILE]

DYNABACKUP_BINARY names the binary (default: build/src/apps/cli/dynamodb-backup). --fast leaves out test_memory.
Exit code 0: every test passed.
"""
import argparse
import json
import os
import sys
import time
import unittest

FOLDER = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, FOLDER)
sys.dont_write_bytecode = True


class Result(unittest.TextTestResult):
    """Prints what failed and how long each test took as it goes, and counts the ones that failed, however many subtests of theirs did."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.failed, self.started = set(), 0.0

    def startTest(self, test):
        self.started = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        self.stream.writeln(f"    {time.monotonic() - self.started:.1f} s")

    def addError(self, test, err):
        super().addError(test, err)
        self.stream.writeln(f"    {err[0].__name__}: {str(err[1])[:1500]}")
        self.failed.add(test.id())

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.stream.writeln(f"    {str(err[1])[:1500]}")
        self.failed.add(test.id())

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.stream.writeln(f"    {str(err[1])[:1500]}")
            self.failed.add(test.id())


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--fast", action="store_true", help="leave out the tests of memory")
    options.add_argument("-k", action="append", metavar="TEXT", help="only tests whose name holds TEXT")
    options.add_argument("--totals", metavar="FILE", help="write the totals as JSON")
    chosen = options.parse_args()
    if "AWS_ENDPOINT_URL_S3" not in os.environ:
        sys.exit('no stack: tools/local-stack start, then eval "$(tools/local-stack env)"')
    import harness  # needs the environment that was just looked at
    if not os.access(harness.BINARY, os.X_OK):
        sys.exit(f"no binary: {harness.BINARY}")

    loader = unittest.TestLoader()
    if chosen.k:
        loader.testNamePatterns = [f"*{text}*" for text in chosen.k]
    suite = unittest.TestSuite()
    for name in sorted(os.listdir(FOLDER)):
        if name.startswith("test_") and name.endswith(".py") and not (chosen.fast and name == "test_memory.py"):
            suite.addTests(loader.loadTestsFromName(name[:-3]))
    result = unittest.TextTestRunner(verbosity=2, resultclass=Result, stream=sys.stdout).run(suite)
    failed = len(result.failed)
    skipped = len(result.skipped)
    totals = {"passed": result.testsRun - failed - skipped, "failed": failed, "skipped": skipped}
    if chosen.totals:
        with open(chosen.totals, "w", encoding="ascii") as out:
            json.dump(totals, out)
    print("integration: {passed} passed, {failed} failed, {skipped} skipped".format(**totals))
    sys.exit(0 if result.wasSuccessful() and totals["passed"] > 0 else 1)


if __name__ == "__main__":
    main()
