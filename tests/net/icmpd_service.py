#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""icmpd under systemd: the units are well formed, a socket that was opened before
is used, READY is said."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["SOCKEYE_SRC"], "tests/net"))
from kit import icmpd, netns, tap

SRC, BUILD = os.environ["SOCKEYE_SRC"], os.environ["SOCKEYE_BUILD"]
UNITS = os.path.join(SRC, "prog/icmpd/systemd")
t = tap.Tap(60)


def verify():
    if not shutil.which("systemd-analyze"):
        t.skip("the units", "no systemd-analyze (package systemd)")
        return
    with tempfile.TemporaryDirectory() as d:
        with open(UNITS + "/icmpd.service.in") as f:
            text = f.read().replace("@sbindir@", os.path.abspath(BUILD + "/prog/icmpd"))
        with open(d + "/icmpd.service", "w") as f:
            f.write(text)
        shutil.copy(UNITS + "/icmpd.socket", d)
        r = subprocess.run(["systemd-analyze", "verify", "--man=no", "./icmpd.service", "./icmpd.socket"],
                           cwd=d, capture_output=True, text=True, timeout=30)
        t.ok(r.returncode == 0 and not r.stderr, "systemd-analyze verify has nothing to say", r.stderr)
        r = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20",
                            "./icmpd.service"], cwd=d, capture_output=True, text=True, timeout=30)
        t.ok(r.returncode == 0, "its exposure is at most 2.0 of 10", r.stdout[-300:], r.stderr)


def activated():
    if not shutil.which("systemd-socket-activate"):
        t.skip("socket activation", "no systemd-socket-activate (package systemd)")
        return
    if os.geteuid():
        netns.isolate(pin=False)
    ns = netns.Ns()
    d = tempfile.mkdtemp(prefix="icmpd-test-")
    path = d + "/by-systemd"
    with ns:
        p = subprocess.Popen(["systemd-socket-activate", "--seqpacket", "-l", path, icmpd.ICMPD, "-f",
                              "-u", "root"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        end = time.monotonic() + 10
        while not os.path.exists(path) and time.monotonic() < end and p.poll() is None:
            os.sched_yield()
        c = icmpd.Client(path)
        s = ns.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("127.0.0.1", 0))
        t.same(c.register(s), "", "the first client starts icmpd, which takes the socket from systemd")
        with ns:
            s.sendto(b"?", ("127.0.0.1", 9))
        t.ok(c.until(lambda: c.fates), "and tells of an error")
        t.same([f.dst for f in c.fates], [("127.0.0.1", 9)], "about what was sent")
        p.terminate()
        p.wait(10)
        t.ok(os.path.exists(path), "the socket is systemd's: icmpd leaves it where it is")
    finally:
        p.kill()
        p.wait()
        shutil.rmtree(d, ignore_errors=True)


verify()
activated()
t.done()
