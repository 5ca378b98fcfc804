#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""prop_pending under the thread sanitizer: no report."""
import ctypes
import os
import subprocess

from kit import netns, sky, tap

ADDR_NO_RANDOMIZE = 0x0040000  # the sanitizer wants fixed places


def main():
    program = os.path.join(sky.BUILD, "tests", "net", "tsan-pending")
    if not os.access(program, os.X_OK):
        tap.skip_all("built without the thread sanitizer")
    netns.isolate(pin=False)
    t = tap.Tap(100)
    env = dict(os.environ, SKY_BED="1", TSAN_OPTIONS="halt_on_error=0 exitcode=66")
    r = subprocess.run([program, "300"], env=env, capture_output=True, text=True, timeout=100,
                       preexec_fn=lambda: ctypes.CDLL(None).personality(ADDR_NO_RANDOMIZE))
    if "unexpected memory mapping" in r.stderr:
        tap.skip_all("the thread sanitizer cannot run on this kernel")
    for line in r.stdout.splitlines():
        print("# " + line)
    reports = r.stderr.count("WARNING: ThreadSanitizer")
    t.ok(not reports, "the thread sanitizer reports nothing", *r.stderr.splitlines()[:60])
    t.ok(r.returncode == 0 and "not ok" not in r.stdout, "and nothing was slept upon",
         "status %d" % r.returncode)
    t.done()


if __name__ == "__main__":
    main()
