#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""icmpd under systemd: the units are well formed, a socket that was opened before
is used, READY is said."""
import os
import pwd
import select
import shutil
import signal
import socket
import struct
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


def peer(path):
    """Whom a client sees behind the socket: process and user."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect(path)
        return struct.unpack("iII", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[:2]


def detached(relative):
    """What started it ends with 0 when it listens; what goes on can be found, and ended."""
    if os.geteuid():
        netns.isolate(pin=False)
    ns = netns.Ns()
    d = tempfile.mkdtemp(prefix="icmpd-test-")
    os.chmod(d, 0o755)
    path = d + "/run/socket"
    user = "nobody" if open("/proc/self/uid_map").read().split()[2] != "1" else "root"
    with ns:
        p = subprocess.Popen([icmpd.ICMPD, "-s", "run/socket" if relative else path, "-u", user],
                             stdin=subprocess.DEVNULL, cwd=d)
    t.same(p.wait(20), 0, "without -f: 0 when it is there")
    pid, uid = peer(path)
    it = os.pidfd_open(pid)
    try:
        t.same(os.readlink("/proc/%d/exe" % pid), os.path.realpath(icmpd.ICMPD),
               "who connects sees the process that went to the background")
        t.same(uid, pwd.getpwnam(user).pw_uid, "and the user whose rights it took")
        signal.pidfd_send_signal(it, signal.SIGTERM)
        t.ok(select.select([it], [], [], 10)[0], "which a signal ends")
        t.ok(not os.path.exists(path), "and with it its socket", relative)
    finally:
        try:
            signal.pidfd_send_signal(it, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.close(it)
        shutil.rmtree(d, ignore_errors=True)


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
        t.same(peer(path)[0], p.pid, "who connects sees icmpd, not who opened the socket for it")
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


def as_user():
    """As the unit starts it: a user of its own with one capability, never root."""
    if os.geteuid() or open("/proc/self/uid_map").read().split()[2] == "1":
        t.skip("a user with one capability", "needs root: two users")
        return
    ns = netns.Ns()
    way = ("setpriv", "--reuid=4242", "--regid=4242", "--clear-groups", "--inh-caps=+net_raw",
           "--ambient-caps=+net_raw")
    book = tempfile.mkdtemp(prefix="icmpd-test-")
    os.chown(book, 4242, 4242)
    os.chmod(book, 0o755)
    d = icmpd.Daemon(ns, "-C", book + "/book", wrap=way, owner=4242)
    with open("/proc/%d/status" % d.p.pid) as f:
        status = dict(line.split(":\t") for line in f.read().splitlines() if ":\t" in line)
    t.same([status[k] for k in ("CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs", "Seccomp")],
           ["0" * 16] * 4 + ["1", "2"], "a user with one capability keeps none, and is confined")
    with ns:
        s = icmpd.as_user(65534, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        s.bind(("127.0.0.1", 0))
    c, b = d.client(uid=65534), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    b.settimeout(10)
    icmpd.as_user(65534, lambda: b.connect(book + "/book"))
    t.same(c.register(s), "", "it serves another user")
    socket.send_fds(b, [b"1"], [s.fileno()])
    t.same(b.recv(1), b"1", "and with the book's protocol")
    s.sendto(b"?", ("127.0.0.1", 9))
    t.ok(c.until(lambda: c.fates) and len(b.recv(1000)) == 144, "who is told by both")
    t.same(d.stop(), 0, "status 0")
    shutil.rmtree(book)


verify()
detached(False)
detached(True)
activated()
as_user()
t.done()
