"""Runs every story and prints each result as a line of JSON."""

import json
import os
import sys
import unittest


class Lines(unittest.TestResult):
    def tell(self, test, failure):
        print(json.dumps({"name": test.id(), "failure": failure}), flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.tell(test, None)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.tell(test, self.failures[-1][1])

    def addError(self, test, error):
        super().addError(test, error)
        self.tell(test, self.errors[-1][1])

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.tell(subtest, (self.failures + self.errors)[-1][1])


suite = unittest.defaultTestLoader.discover(os.path.dirname(os.path.abspath(__file__)))
result = suite.run(Lines())
sys.exit(0 if result.wasSuccessful() else 1)
