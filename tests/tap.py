# SPDX-License-Identifier: BSD-2-Clause
"""TAP for Python tests: ok(), skip(), then done()."""
import sys

results = []


def ok(fine, situation, advice=""):
    """One result; advice (what to do, what was seen) is shown on failure."""
    results.append(bool(fine))
    print("%sok %d - %s" % ("" if fine else "not ", len(results), situation))
    if not fine and advice:
        print("# " + str(advice).replace("\n", "\n# "))
    sys.stdout.flush()
    return bool(fine)


def skip(situation, reason):
    results.append(True)
    print("ok %d - %s # SKIP %s" % (len(results), situation, reason), flush=True)


def skip_all(reason):
    print("1..0 # SKIP " + reason)
    sys.exit(0)


def done():
    print("1..%d" % len(results))
    sys.exit(0 if all(results) else 1)
