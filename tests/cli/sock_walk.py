#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 300
"""Each row of sock's table does what it says, observed from outside: what the
kernel says of the socket, bytes on the wire, the order of events. A row without
an observation fails: write one in walk_*.py."""
import glob
import importlib
import os
import sys
import traceback

import sockbed
from sockbed import sock
from tap import done, ok
import walkbed

sockbed.enter("link add v0 type veth peer name v1", "link set v0 up", "link set v1 up",
              "addr add 192.0.2.1/24 dev v0", "addr add fd00:2::1/64 dev v0 nodad",
              "route add default via 192.0.2.254", "neigh add 192.0.2.254 lladdr 02:00:00:00:00:fe dev v0")
here = os.path.dirname(os.path.abspath(__file__))
for path in sorted(glob.glob(here + "/walk_*.py")):
    importlib.import_module(os.path.basename(path)[:-3])
names = [line.split("\t")[1] for line in sock("--options").out.splitlines() if line.split("\t")[3] != "later"]
wanted = sys.argv[1:] or names
ran = set()
for name in wanted:
    if not ok(name in walkbed.checks, "--%s is observed" % name, "write a check for it in tests/cli/walk_*.py"):
        continue
    for check in walkbed.checks[name]:
        if check not in ran:
            ran.add(check)
            try:
                check()
            except Exception:
                ok(False, "--%s: its check came to an end" % name, traceback.format_exc())
gone = set(walkbed.checks) - set(names)
ok(not gone, "no check is about a row that is gone", gone)
done()
