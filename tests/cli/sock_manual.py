#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each example of sock(1) runs as it is printed, in the order of the page."""
import os
import re
import select
import shutil
import signal
import subprocess
import time

import sockbed
from sockbed import DEADLINE, discard, echo
from tap import done, ok, skip, skip_all

if not shutil.which("mandoc"):
    skip_all("no mandoc (package mandoc)")
ADDRESSES = ["192.0.2.%d" % i for i in (1, 2, 3)]
sockbed.enter("link add v0 type veth peer name v1", "link set v0 up", "link set v1 up",
              *("addr add %s/24 dev v0" % a for a in ADDRESSES), "route add 224.0.0.0/4 dev v0")
echo(ADDRESSES[0], 7), echo(ADDRESSES[2], 7), discard(ADDRESSES[0], 9)

# What an example that ends shall end with: status, and a pattern in what it
# wrote; the first row whose text is in it counts. Others: 0, and no complaint.
WANT = [
    ("jq", 0, r"\A192\.0\.2\.2\n\Z"),
    ("192.0.2.2 7", 3, r"to 192\.0\.2\.2\.7: refused"),
    ("--timeout", 3, r"192\.0\.2\.1\.80: refused by the host itself \(RST\)"),
    ("--request", 0, r"\Ahello\n"),
    ("--backlog-test", 0, r"^ +0 +1 "),
]


def page():
    text = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=200",
                           os.path.join(os.environ["SOCKEYE_SRC"], "prog/sock/sock.1")],
                          capture_output=True, text=True).stdout
    text = re.sub(".\b", "", text).replace("\u2010", "-").replace("\u2019", "'")
    return text.partition("\nEXAMPLES\n")[2].partition("\n   Printed lines")[0]


def bound(port, udp):
    state = "07" if udp else "0A"
    for name in ("udp", "udp6") if udp else ("tcp", "tcp6"):
        for line in open("/proc/net/" + name).readlines()[1:]:
            f = line.split()
            if f[3] == state and int(f[1].rpartition(":")[2], 16) == port:
                return True
    return False


def await_server(line, p):
    """The port is the last word; it is bound, or the program has ended."""
    port, udp = int(line.split()[-1]), " -u" in line
    end = time.monotonic() + DEADLINE
    while not bound(port, udp) and p.poll() is None and time.monotonic() < end:
        select.select([], [], [], 0.002)
    return bound(port, udp)


def start(line):
    path = os.path.dirname(sockbed.SOCK) + ":" + os.environ["PATH"]
    return subprocess.Popen(line, shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=dict(os.environ, PATH=path), text=True, start_new_session=True)


def run(line):
    status, pattern = next(((s, r) for part, s, r in WANT if part in line), (0, ""))
    p = start(line)
    try:
        out, err = p.communicate("hello\n", timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        out, err = p.communicate()
    fine = p.returncode == status and "sock:" not in err and re.search(pattern, out + err, re.M)
    ok(fine, line.replace("\n", " "), "status %d\n%s%s" % (p.returncode, out, err))


examples = re.findall(r"^ +(sock -.*\|\n.*|sock [-\d].*)$", page(), re.M)
servers = []
for line in examples:
    if "jq" in line and not shutil.which("jq"):
        skip(line, "no jq")
    elif re.search(r" -\w*s\b", line):      # it goes on; the next example may talk to it
        servers.append((line, start("exec " + line)))
        ok(await_server(*servers[-1]), line)
    else:
        run(line)
for line, p in servers:
    if p.poll() is None:
        os.killpg(p.pid, signal.SIGINT)
    out, err = p.communicate(timeout=30)
    want = 3 if "reset by peer" in err and "9009" in line else 0    # as an example of clients asks for
    ok(p.returncode == want and "sock:" not in err, "the end of " + line, "status %d\n%s%s" % (p.returncode, out, err))
ok(len(examples) >= 9, "the page has its examples", examples)
done()
