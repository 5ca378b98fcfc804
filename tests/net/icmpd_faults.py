#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""icmpd where the machine fails it: names taken, no descriptors, no memory, killed
under load, its network gone, the clock stepped."""
import errno
import json
import os
import resource
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from kit import icmpd, icmpdbed, tap
from kit.forger import HOME, V4
from kit.icmpdbed import quote

t = tap.Tap(150)
icmpdbed.begin()
bed = icmpdbed.Bed()


def cpu(pid):
    with open("/proc/%d/schedstat" % pid) as f:
        return int(f.read().split()[0]) / 1e9


def refuses(situation, path, *args):
    with bed.lab.a:
        r = subprocess.run([icmpd.ICMPD, "-f", "-s", path, "-u", "root", *args], capture_output=True,
                           text=True, timeout=10, stdin=subprocess.DEVNULL)
    named = args[-1] if args else path
    t.ok(r.returncode == 1 and r.stderr.count("\n") == 1 and named in r.stderr,
         situation + ": status 1, one line", r.returncode, r.stderr)


def squatted():
    d = tempfile.mkdtemp(prefix="icmpd-test-")
    path = d + "/socket"
    with open(path, "w") as f:
        f.write("mine")
    refuses("a file lies where it is to listen", path)
    t.same(open(path).read(), "mine", "and the file is left alone")
    os.unlink(path)
    os.symlink("/etc/passwd", path)
    refuses("a symbolic link lies there", path)
    os.unlink(path)
    os.mkdir(path)
    refuses("a folder lies there", path)
    os.rmdir(path)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.bind(path)
    s.listen()
    refuses("somebody listens there", path)
    s.close()
    other = icmpd.Daemon(bed.lab.a, path=path)
    c = other.client()
    t.ok(c.ask(), "a socket that nobody listens at any more is replaced")
    refuses("another icmpd listens there", path)
    c.close()
    other.stop()
    t.ok(not os.path.exists(path), "and it takes its socket away when it ends")
    os.chmod(d, 0o777)
    refuses("everybody may write to the folder", path)
    os.chmod(d, 0o755)
    book = d + "/book"
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.bind(book)
    s.listen()
    refuses("somebody listens at --compat-socket", path, "-C", book)
    s.close()
    os.chmod(d, 0o777)
    os.mkdir(d + "/own", 0o755)
    refuses("everybody may take --compat-socket away", d + "/own/socket", "-C", book)
    shutil.rmtree(d)


def no_descriptors():
    with_few = icmpd.Daemon(bed.lab.a, wrap=("prlimit", "--nofile=48:48"))
    some = []
    for _ in range(80):
        some.append(with_few.client(greet=False))
    refused = [c for c in some if select.select([c.s], [], [], 2 if c is some[-1] else 0)[0]]
    t.ok(with_few.alive() and refused, "80 clients, 48 descriptors: some are told no", len(refused))
    before = cpu(with_few.p.pid)
    select.select([], [], [], 1)
    t.ok(cpu(with_few.p.pid) - before < 0.05, "and it does not spin", cpu(with_few.p.pid) - before)
    for c in some:
        c.close()
    c = with_few.client()
    t.ok(c.ask(), "when they are gone there is room again")
    c.close()
    t.same(with_few.stop(), 0, "status 0")


def no_memory():
    """A megabyte or so above what it began with."""
    if icmpd.SANITIZED:
        t.skip("no memory", "the sanitizers' own needs are larger")
        return
    d = icmpd.Daemon(bed.lab.a, "-n", "10000000", "-q", "1g")
    with open("/proc/%d/statm" % d.p.pid) as f:
        now = int(f.read().split()[0]) * resource.getpagesize()
    resource.prlimit(d.p.pid, resource.RLIMIT_AS, (now + (2 << 20), now + (2 << 20)))
    deaf, well = d.client(), d.client()
    s, x = bed.socket(V4), bed.socket(V4)
    deaf.register(s), well.register(x)
    ck, name = icmpd.cookie(s), icmpd.name_of(s)
    sent = 0
    for at in range(0, 200000, 32):
        deaf.s.settimeout(0.2)
        try:
            deaf.s.send(icmpd.message(icmpd.ADD, [icmpd.add(k, ck ^ k << 20, local=None) for k in range(at, at + 32)]))
            sent += 32
        except (socket.timeout, BlockingIOError):
            break
        while select.select([deaf.s], [], [], 0)[0] and deaf.read():
            pass
    for i in range(20000):
        bed.error(s)
        if i % 200 == 199:
            bed.fence()
    t.ok(d.alive(), "memory is at an end (%d registrations, 20000 errors unread): it goes on" % sent, d.said())
    verdicts = {errno.errorcode.get(e, e) for e in deaf.results.values()}
    t.ok("ENOMEM" in verdicts, "and whom it has no room for is told so", verdicts)
    n = len(well.fates)
    bed.error(x)
    t.ok(well.until(lambda: len(well.fates) > n), "and tells others")
    deaf.close()
    again = d.client()
    t.same(again.register(bed.fence_sock), "", "and when the client is gone takes new ones")
    again.close(), well.close(), s.close(), x.close()
    t.same(d.stop(), 0, "status 0")


class Load:
    """Errors without end, from a process of its own."""

    def __init__(self, *socks):
        self.pid = os.fork()
        if self.pid == 0:
            signal.alarm(60)
            while True:
                for s in socks:
                    bed.error(s)

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def killed():
    """Clients of the library come back by themselves, and say what was missed."""
    d, s = icmpd.Daemon(bed.lab.a), bed.socket(V4)
    p = subprocess.Popen([icmpd.ICMPCTL, "-s", d.path, "watch", "--json"], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    seen = {"fate": 0, "down": 0, "up": 0}
    lines = []

    def read_until(what):
        end = time.monotonic() + 10
        while not what() and time.monotonic() < end:
            if len(lines) < 2:
                if not select.select([p.stdout], [], [], 10)[0]:
                    break
                lines[:] = (b"".join(lines) + os.read(p.stdout.fileno(), 65536)).split(b"\n")
                continue
            r = json.loads(lines.pop(0))
            key = "fate" if r["type"] == "fate" else r["what"]
            seen[key] = seen.get(key, 0) + 1
        return what()
    load = Load(s)
    for i in range(1, 4):
        before = seen["fate"]
        t.ok(read_until(lambda: seen["fate"] > before + 100), "errors are shown, round %d" % i, seen)
        d.end(signal.SIGKILL)
        t.ok(read_until(lambda: seen["down"] == i), "killed under load: the client says so", seen)
        d.start()
        t.ok(read_until(lambda: seen["up"] == i), "started again: it comes back by itself", seen)
    load.end()
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=10)
    s.close()
    t.same(d.stop(), 0, "status 0")


def clock_steps():
    lib = os.path.join(icmpd.BUILD, "tests/net/libclockstep.so")
    if not os.path.exists(lib) or icmpd.SANITIZED:
        t.skip("clock steps", "cannot be preloaded in this build")
        return
    d = icmpd.Daemon(bed.lab.a, env={"LD_PRELOAD": os.path.abspath(lib)})
    c, s = d.client(), bed.socket(V4)
    c.register(s)
    for _ in range(500):
        bed.error(s)
    t.ok(c.until(lambda: len(c.fates) == 500), "the wall clock jumps by years: every error is told", len(c.fates))
    before = cpu(d.p.pid)
    select.select([], [], [], 0.5)
    t.ok(cpu(d.p.pid) - before < 0.02, "and nothing spins")
    c.close(), s.close()
    t.same(d.stop(), 0, "status 0")


def network_gone():
    c = bed.fence_client
    bed.lab.r.ip("link del r0")
    bed.lab.a.ip("link set lo down")
    t.ok(c.ask(), "its links are gone: it answers")
    with bed.lab.a:
        s = bed.lab.a.socket(V4, socket.SOCK_DGRAM)
    bed.lab.a.ip("link set lo up")
    s.bind(("127.0.0.1", 0))
    w = bed.d.client()
    w.register(s)
    with bed.lab.a:
        s.sendto(b"?", ("127.0.0.1", 9))
    t.ok(w.until(lambda: w.fates), "and hears what is left to be heard")
    os.close(bed.lab.a.fd)
    os.close(bed.lab.r.fd)
    s.close()
    t.ok(w.ask(), "nobody else is in its namespace any more: it answers")
    w.close()
    t.same(bed.d.end(), 0, "and ends as it should")
    bed.stop()


squatted()
no_descriptors()
no_memory()
killed()
clock_steps()
network_gone()
t.done()
