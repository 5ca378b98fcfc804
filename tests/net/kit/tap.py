# SPDX-License-Identifier: BSD-2-Clause
"""TAP on standard output, and the one bound on a test's time."""
import signal
import sys
import time


class Tap:
    def __init__(self, seconds):
        self.count = self.failed = 0
        self.end = time.monotonic() + seconds
        signal.alarm(seconds + 10)

    def left(self):
        """Seconds until the test must be over; never below zero."""
        return max(0.0, self.end - time.monotonic())

    def ok(self, good, situation, *why):
        self.count += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, situation))
        if not good:
            for w in why:
                print("#   %s" % (w,))
        sys.stdout.flush()
        return good

    def same(self, got, want, situation):
        return self.ok(got == want, situation, "got  %r" % (got,), "want %r" % (want,))

    def skip(self, situation, reason):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, situation, reason))

    def done(self):
        print("1..%d" % self.count)
        sys.exit(1 if self.failed else 0)


def skip_all(reason):
    print("1..0 # SKIP %s" % reason)
    sys.exit(0)
