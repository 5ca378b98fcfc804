#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 120
"""icmpd when the system is short of something, or somebody was there before it."""
import errno
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile

from kit import icmpd, icmpdbed, netns

sys.path.insert(0, os.path.join(os.environ["SOCKEYE_SRC"], "tests"))
import tap as t  # noqa: E402

V4 = socket.AF_INET
MANY = 100000
icmpdbed.begin()
ROOT = os.geteuid() == 0 and open("/proc/self/uid_map").read().split()[2] != "1"
bed = icmpdbed.Bed()


def works(what):
    t.ok(bed.fence(), what + ": others are served", bed.d.said())


def refused_at(path, why, situation):
    """icmpd says one line that quotes the path, and ends with 1."""
    with bed.lab.a:
        r = subprocess.run([icmpd.ICMPD, "-f", "-s", path, "-u", "root"], capture_output=True,
                           text=True, timeout=20)
    t.ok(r.returncode == 1 and r.stderr.count("\n") == 1 and why in r.stderr and path in r.stderr,
         situation, r)


def somebody_was_there():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "socket")
        with open(path, "w") as f:
            f.write("precious")
        refused_at(path, "expected a socket", "a file lies at the path: refused")
        t.ok(open(path).read() == "precious", "and left alone")
        os.unlink(path)
        os.symlink("/etc/passwd", path)
        refused_at(path, "expected a socket", "a link lies there: refused")
        os.unlink(path)
        for kind, name in ((socket.SOCK_SEQPACKET, "the same"), (socket.SOCK_STREAM, "another")):
            with socket.socket(socket.AF_UNIX, kind) as s:
                s.bind(path)
                s.listen(1)
                refused_at(path, "somebody listens there", "somebody listens there, of %s kind: "
                           "refused" % name)
            os.unlink(path)
        for mode in (0o777, 0o775, 0o1777):
            os.chmod(d, mode)
            refused_at(path, "only root or this user", "a folder of mode %o: refused" % mode)
        os.chmod(d, 0o755)
        refused_at(os.path.join(d, "no", "such", "socket"), "No such file", "no folder for its folder")
        refused_at(d + "/" + "x" * 120, "too long", "a path that is too long")
        refused_at(bed.d.path, "somebody listens there", "a second icmpd at the same path: refused")
    works("while all that was tried")


def its_own_socket_is_left():
    d = icmpd.Daemon(bed.lab.a)
    d.end(signal.SIGKILL)
    left = os.path.exists(d.path)
    d.start()
    c = d.client()
    t.ok(left and c.ask(), "killed, it leaves its socket; the next one takes its place")
    c.close()
    status = d.end()
    t.ok(status == 0 and not os.path.exists(d.path), "ended, it takes it away", status)
    d.stop()


def limit(what, n):
    was = resource.prlimit(bed.d.p.pid, what)
    resource.prlimit(bed.d.p.pid, what, (n, was[1]))
    return was


def no_descriptors():
    some = [bed.d.client() for _ in range(3)]
    for c in some:
        c.ask()     # all of them have been let in
    before = bed.d.fds()
    was = limit(resource.RLIMIT_NOFILE, before + 4)
    more = [bed.d.client(greet=i % 2) for i in range(12)]
    works("no descriptor is left")
    told = [c for c in more if c.until(lambda c=c: c.done, 1) and c.done[0][1] == errno.EMFILE]
    t.ok(len(told) >= 8, "who comes then is told so and sent away", len(told))
    for c in some:
        t.ok(c.ask(), "who was there is served")
    for c in more + some:
        c.close()
    works("they went")
    c = bed.d.client()
    t.ok(c.ask(), "then the next is served")
    c.close()
    resource.prlimit(bed.d.p.pid, resource.RLIMIT_NOFILE, was)


def registrations(c, first, n):
    """Sockets without a port: nothing to prove. What the daemon said, as a set."""
    for at in range(first, first + n, 32):
        c.s.send(icmpd.message(icmpd.ADD, [icmpd.add(k, (1 << 60) + k) for k in range(at, at + 32)]))
        while not c.until(lambda at=at: at + 31 in c.results or c.gone, 10):
            return {"no answer"}
    return {c.results[k] for k in range(first, first + n)}


def no_memory():
    c = bed.d.client()
    registrations(c, 0, 3200)
    with open("/proc/%d/status" % bed.d.p.pid) as f:
        size = next(int(x.split()[1]) for x in f if x.startswith("VmSize"))
    was = limit(resource.RLIMIT_AS, size * 1024 + (1 << 20))
    got = registrations(c, 3200, 96000)
    t.ok(got <= {0, errno.ENOMEM} and errno.ENOMEM in got, "no memory: who asks for more is told "
         "ENOMEM", {errno.errorcode.get(x, x) for x in got})
    works("no memory is left")
    resource.prlimit(bed.d.p.pid, resource.RLIMIT_AS, was)
    c.close()
    works("memory is back")


def many():
    c = bed.d.client()
    c.ask()
    before = bed.d.kib()
    got = registrations(c, 0, MANY)
    each = (bed.d.kib() - before) * 1024 / MANY
    t.ok(got == {0}, "%d sockets of one client are taken" % MANY, got)
    t.ok(each <= 256, "%.0f bytes of resident memory for each" % each)
    c.close()
    works("they are dropped at once")
    t.ok(bed.fence_client.ask()[16] == 1, "and only our own is left", bed.fence_client.counters)


def asleep():
    """The kernel says in what call it is, and its time-out: for ever."""
    bed.fence()
    try:
        with open("/proc/%d/syscall" % bed.d.p.pid) as f:
            call = f.read().split()
    except PermissionError:
        t.skip("idle, it sleeps without a time-out", "/proc/PID/syscall is not ours to read")
        return
    for _ in range(1000):
        if call[0] != "running":
            break
        with open("/proc/%d/syscall" % bed.d.p.pid) as f:
            call = f.read().split()
    t.ok(call[0] in ("232", "281", "22") and int(call[4], 16) & 0xffffffff == 0xffffffff,
         "idle, it sleeps without a time-out: nothing but news wakes it", call)
    with open("/proc/%d/timers" % bed.d.p.pid) as f:
        t.ok(not f.read(), "and has no timer")


def the_link_goes():
    """What it listens on is taken away; the rest of the host goes on."""
    ns = netns.Ns()
    d = icmpd.Daemon(ns)
    with ns:
        s = socket.socket(V4, socket.SOCK_DGRAM)
        s.bind(("127.0.0.1", 0))
    c = d.client()
    c.register(s)
    ns.ip("link set lo down")
    try:
        s.sendto(b"x", ("127.0.0.1", 9))
    except OSError:
        pass
    ns.ip("link set lo up")
    s.sendto(b"x", ("127.0.0.1", 9))
    t.ok(c.until(lambda: c.fates), "an interface goes and comes: errors are told", d.said())
    s.close()
    os.close(ns.fd)
    ns.fd = os.open("/proc/self/ns/net", os.O_RDONLY)
    t.ok(c.ask() and d.alive(), "nobody else is in its namespace any more: it goes on")
    t.ok(d.stop() == 0, "and ends with status 0")


def signals():
    for sig in (signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1):
        if sig != signal.SIGUSR1:
            bed.d.p.send_signal(sig)
            works(sig.name)
    t.ok(bed.d.end(signal.SIGINT) == 0, "SIGINT: it ends with status 0")


def rights():
    """What it has left, by the kernel's own account."""
    with open("/proc/%d/status" % bed.d.p.pid) as f:
        line = dict(x.split(":\t", 1) for x in f.read().splitlines() if ":\t" in x)
    t.ok(all(int(line[x], 16) == 0 for x in ("CapInh", "CapPrm", "CapEff", "CapAmb")),
         "no capability is left", line)
    t.ok(line["NoNewPrivs"] == "1", "and none can come back")
    if line["Seccomp"] == "0":
        t.skip("system calls are filtered", "not in this build")
    else:
        t.ok(line["Seccomp"] == "2", "system calls are filtered")


def another_user():
    if not ROOT:
        t.skip("it becomes another user", "needs root, for more than one user")
        return
    d = icmpd.Daemon(bed.lab.a, user="nobody", path=None)
    with open("/proc/%d/status" % d.p.pid) as f:
        line = dict(x.split(":\t", 1) for x in f.read().splitlines() if ":\t" in x)
    t.ok(line["Uid"].split() == ["65534"] * 4 and line["Gid"].split() == ["65534"] * 4 and
         not line["Groups"].split() and int(line["CapBnd"], 16) == 0,
         "it becomes another user, without groups, for good", line)
    t.ok(d.stop() == 0, "and ends with status 0")
    with bed.lab.a:
        r = subprocess.run([icmpd.ICMPD, "-f", "-s", "/run/x/y", "-u", "no-such-user"],
                           capture_output=True, text=True, timeout=20)
    t.ok(r.returncode == 2 and "'no-such-user': no such user" in r.stderr, "no such user", r)


rights()
somebody_was_there()
its_own_socket_is_left()
no_descriptors()
no_memory()
many()
asleep()
the_link_goes()
another_user()
signals()
bed.stop()
t.done()
