#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What icmpctl run adds to a call: bench-preload alone, and with the library, in
turns; the least of many, in ns of processor time, because noise only adds. No limit is set; the figures are in icmpctl(8)."""
import os
import subprocess
import sys

BUILD = sys.argv[1]
ROUNDS = 3 if "--quick" in sys.argv else 9
BENCH = os.path.join(BUILD, "bench/bench-preload")
ICMPCTL = os.path.join(BUILD, "prog/icmpctl/icmpctl")


def run(argv):
    out = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120).stdout
    return {line.split()[0]: float(line.split()[1]) for line in out.splitlines()}


def main():
    alone, given = [], []
    for _ in range(ROUNDS):
        alone.append(run([BENCH]))
        given.append(run([ICMPCTL, "-s", "/nonexistent/socket", "run", BENCH]))
    print("load %s" % open("/proc/loadavg").read().split()[0])
    for call in alone[0]:
        a = min(r[call] for r in alone)
        b = min(r[call] for r in given)
        print("%-12s %8.1f ns alone, %8.1f with: %+.1f" % (call, a, b, b - a))


main()
