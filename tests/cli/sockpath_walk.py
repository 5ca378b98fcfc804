#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 300
"""Each row of sockpath's table does what it says, observed from outside: the bytes
that leave, how many and when, what becomes of the answers. A row without an
observation fails: write one in pathwalk_*.py."""
import glob
import importlib
import os
import subprocess
import sys
import traceback

import pathbed
from tap import done, ok, skip, skip_all

if not os.path.exists(pathbed.SOCKPATH):
    skip_all("sockpath is not built")
pathbed.enter()
here = os.path.dirname(os.path.abspath(__file__))
for path in sorted(glob.glob(here + "/pathwalk_*.py")):
    importlib.import_module(os.path.basename(path)[:-3])
table = subprocess.run([pathbed.SOCKPATH, "--options"], capture_output=True, text=True,
                       check=True).stdout
names = [line.split("\t")[1] for line in table.splitlines()]
ran = set()
unbuilt = {"cycles": ("--cycles", 1), "interval": ("--cycles", 1, "--interval", 1)}
for name in sys.argv[1:] or names:
    if name in unbuilt and "not in this build" in pathbed.path(*unbuilt[name]).err:
        skip("--%s is observed" % name, "that mode is not in this build")
        continue
    if not ok(name in pathbed.checks, "--%s is observed" % name,
              "write a check for it in tests/cli/pathwalk_*.py"):
        continue
    for check in pathbed.checks[name]:
        if check not in ran:
            ran.add(check)
            try:
                check()
            except Exception:
                ok(False, "--%s: its check came to an end" % name, traceback.format_exc())
gone = set(pathbed.checks) - set(names)
ok(not gone, "no check is about a row that is gone", gone)
done()
