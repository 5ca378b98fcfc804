#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each example of sock(1) runs as it is printed."""
import os
import re
import select
import shutil
import signal
import subprocess

import sockbed
from sockbed import discard, echo
from tap import done, ok, skip, skip_all

if not shutil.which("mandoc"):
    skip_all("no mandoc (package mandoc)")
ADDRESSES = ["192.0.2.%d" % i for i in (1, 2, 3)]
sockbed.enter("link add v0 type veth peer name v1", "link set v0 up", "link set v1 up",
              *("addr add %s/24 dev v0" % a for a in ADDRESSES))
echo(ADDRESSES[0], 7), echo(ADDRESSES[2], 7), discard(ADDRESSES[0], 9)
page = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=200",
                       os.path.join(os.environ["SOCKEYE_SRC"], "prog/sock/sock.1")],
                      capture_output=True, text=True).stdout
page = re.sub(".\b", "", page).replace("\u2010", "-").replace("\u2019", "'")
part = page.partition("\nEXAMPLES\n")[2].partition("\n   Printed lines")[0]
examples = re.findall(r"^ +(sock -.*\|\n.*|sock -.*)$", part, re.M)
path = os.path.dirname(sockbed.SOCK) + ":" + os.environ["PATH"]
servers = []
for line in examples:
    if "jq" in line and not shutil.which("jq"):
        skip(line, "no jq")
        continue
    p = subprocess.Popen(line, shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, env=dict(os.environ, PATH=path), text=True,
                         start_new_session=True)
    if " -s" in line:       # it goes on; the next example may talk to it
        said = select.select([p.stderr], [], [], sockbed.DEADLINE)[0]
        first = p.stderr.readline() if said else "sock: said nothing: give -v"
        ok(not first.startswith("sock:"), line, first)
        servers.append(p)
        continue
    out, err = p.communicate("hello\n", timeout=30)
    want = 3 if ("192.0.2.2" in line and "|" not in line) or "--timeout" in line else 0
    fine = p.returncode == want and "sock:" not in err
    if "192.0.2.2" in line and "|" not in line:
        fine = fine and re.findall(r"to (\S+): refused", err) == ["192.0.2.2.7"]
    if "--timeout" in line:
        fine = fine and err == "connect to 192.0.2.1.80: refused by the host itself (RST)\n"
    if "jq" in line:
        fine = fine and out == "192.0.2.2\n"
    ok(fine, line.replace("\n", " "), "status %d\n%s%s" % (p.returncode, out, err))
for p in servers:
    os.killpg(p.pid, signal.SIGINT)
    p.communicate(timeout=30)
ok(len(examples) >= 9, "the page has its examples", examples)
done()
