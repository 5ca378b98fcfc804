#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""icmpctl: which process is sending into the void? Its name and number, or the
truth about why there is none; filters, status, metrics."""
import ctypes
import json
import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import time

from kit import icmpd, icmpdbed, netns, tap

t = tap.Tap(120)
icmpdbed.begin()
ns = netns.Ns()
netns.unlimited(ns)
d = icmpd.Daemon(ns)
ROOT = os.geteuid() == 0 and open("/proc/self/uid_map").read().split()[2] != "1"
CLOSED, OTHER = 9, 10


def ctl(*argv, uid=None, **how):
    pre = (lambda: os.setuid(uid)) if uid else None
    return subprocess.run([icmpd.ICMPCTL, "-s", d.path, *argv], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=20, preexec_fn=pre, **how)


class Watch:
    """icmpctl watch, from the moment it sees everything."""

    def __init__(self, *argv, uid=None, where=None):
        pre = (lambda: os.setuid(uid)) if uid else None
        with where or ns:
            self.p = subprocess.Popen([icmpd.ICMPCTL, "watch", "-s", d.path, "--json", *argv],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, preexec_fn=pre)
        self.buf = b""
        first = self.record()
        if not first or first.get("what") != "watching":
            raise RuntimeError("no watching: %r %r" % (first, self.p.stderr.read()))

    def record(self, seconds=10):
        end = time.monotonic() + seconds
        while b"\n" not in self.buf:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.p.stdout], [], [], left)[0]:
                return None
            more = os.read(self.p.stdout.fileno(), 65536)
            if not more:
                return None
            self.buf += more
        line, _, self.buf = self.buf.partition(b"\n")
        return json.loads(line)

    def end(self, how=signal.SIGINT):
        self.p.send_signal(how)
        self.p.communicate(timeout=10)
        return self.p.returncode


def owned(uid):
    """A socket that belongs to a user."""
    with ns:
        return icmpd.as_user(uid or 0, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))


class Sender:
    """A process of its own with a socket, named; sends when told."""

    def __init__(self, name=b"sender", uid=None, forks=0):
        r, self.tell = os.pipe()
        hear, w = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            signal.alarm(60)
            os.close(self.tell)
            s = owned(uid)
            s.bind(("127.0.0.1", 0))
            if uid:
                os.setuid(uid)
                ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # dumpable, as after exec: /proc is his
            ctypes.CDLL(None).prctl(15, name, 0, 0, 0)
            for _ in range(forks):
                if os.fork() == 0:
                    break
            os.write(w, b"%5d" % s.getsockname()[1])
            while True:
                order = os.read(r, 1)
                if order == b"c":
                    s.connect(("127.0.0.1", CLOSED))
                    try:
                        s.send(b"connected")
                    except OSError:
                        pass
                    os.write(w, b"k")
                    continue
                if order in (b"", b"q"):
                    os._exit(0)
                s.sendto(b"into the void", ("127.0.0.1", CLOSED if order == b"s" else OTHER))
                os.write(w, b"k")
        os.close(r)
        os.close(w)
        self.hear = hear
        self.port = [int(os.read(hear, 5)) for _ in range(forks + 1)][0]

    def send(self, order=b"s"):
        os.write(self.tell, order)
        return os.read(self.hear, 1) == b"k"

    def end(self):
        os.close(self.tell)
        os.close(self.hear)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def names_it():
    s, w = Sender(b"my sender"), Watch()
    s.send()
    r = w.record()
    t.same({k: r.get(k) for k in ("type", "fate", "proto", "src", "sport", "dst", "dport", "by",
                                  "icmp_type", "icmp_code", "pid", "comm", "evidence", "uid")},
           {"type": "fate", "fate": "refused", "proto": "udp", "src": "127.0.0.1", "sport": s.port,
            "dst": "127.0.0.1", "dport": CLOSED, "by": "127.0.0.1", "icmp_type": 3, "icmp_code": 3,
            "pid": s.pid, "comm": "my sender", "evidence": "icmpd", "uid": 0},
           "the process, its name, what it sent where, what happened, who said so")
    s.send()
    t.same(w.record().get("pid"), s.pid, "and again, from where it was seen before")
    t.same(w.end(), 3, "Ctrl-C ends it: status 3, bad fates were seen")
    text = subprocess.Popen([icmpd.ICMPCTL, "-s", d.path, "watch", "-n1"], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)
    text.stderr.readline()
    s.send()
    line = text.communicate(timeout=10)[0]
    t.ok(re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} my sender\[%d\] udp 127\.0\.0\.1\.%d to 127\.0\.0\.1\.9: "
                      r"refused, port unreachable, says .*\[(not )?vouched\]\n" % (s.pid, s.port), line),
         "the line for people", line)
    t.same(text.returncode, 3, "-n 1 ends it after one")
    t.ok(line.endswith("[not vouched]\n"), "a socket that is not connected: not vouched", line)
    w = Watch("-n1")
    s.send(b"c")
    t.same(w.record().get("connected"), True, "one that is connected to there: vouched")
    w.p.communicate(timeout=10)
    s.end()


def says_why_not():
    w = Watch()
    short = Sender()
    short.send()
    os.kill(short.pid, signal.SIGKILL)
    os.waitpid(short.pid, 0)
    r = w.record()
    t.ok(r.get("pid") in (None, short.pid) and (r.get("pid") or r.get("process") == "gone"),
         "a process that was killed: gone, or it was seen in time", r)
    with ns:
        subprocess.run(["python3", "-c", "import socket\ns = socket.socket(2, 2)\n"
                        "s.sendto(b'x', ('127.0.0.1', 9))"], check=True)
    r = w.record()
    t.ok(r.get("process") == "gone" and "pid" not in r or r.get("comm") == "python3",
         "one that only lived to send: gone, never another", r)
    # gone for sure: stopped while it is asked
    os.kill(w.p.pid, signal.SIGSTOP)
    s = Sender()
    s.send()
    s.end()
    os.kill(w.p.pid, signal.SIGCONT)
    r = w.record()
    t.same((r.get("process"), r.get("uid"), "pid" in r), ("gone", 0, False),
           "gone before anybody looked: gone (uid 0)")
    far = Watch(where=netns.Ns())
    os.kill(far.p.pid, signal.SIGSTOP)
    s = Sender()
    s.send()
    s.end()
    os.kill(far.p.pid, signal.SIGCONT)
    r = far.record()
    t.ok(r.get("process") in ("none", "unseen") and "connected" not in r,
         "in another network than icmpd's the kernel cannot be asked: not said to be gone", r)
    far.end()
    w.record()
    evil = Sender(b"\x1b[31m\x07evil\xff")
    evil.send()
    r = w.record()
    t.same(r.get("comm"), "?[31m?evil?", "a name that would steer the terminal is made harmless")
    evil.end()
    many = Sender(b"many", forks=2)
    many.send()
    r = w.record()
    t.same((r.get("pid"), r.get("sharing")), (many.pid, 2), "a socket that three processes share")
    os.write(many.tell, b"qqq")
    w.end()


def filters():
    a, b = Sender(b"alpha"), Sender(b"beta")
    cases = ((("-c", "alpha"), a, b"s"), (("-c", str(b.pid)), b, b"s"), (("-p", str(a.port)), a, b"s"),
             (("-p", str(OTHER)), b, b"o"), (("-c", "alpha", "-c", "nobody"), a, b"s"))
    for argv, who, order in cases:
        w = Watch(*argv, "-n1")
        for x in (a, b):
            if x is not who:
                x.send(b"s" if order == b"o" else order)
        who.send(order)
        r = w.record()
        t.same(r and r.get("pid"), who.pid, "watch " + " ".join(argv))
        w.p.communicate(timeout=10)
    w = Watch("-f", "too-big", "-f", "hop-limit")
    a.send()
    w2 = Watch("-d", "127.0.0.0/8", "-n1")
    a.send()
    t.same(w2.record().get("fate"), "refused", "watch -d 127.0.0.0/8")
    t.same(w.end(), 0, "watch -f too-big shows no refusal: status 0")
    w = Watch("-d", "10.0.0.0/8")
    a.send()
    t.same(w.end(), 0, "watch -d 10.0.0.0/8 shows nothing of 127.0.0.1")
    a.end(), b.end()


def users():
    if not ROOT:
        t.skip("a user sees his own", "needs root: two users")
        return
    os.chmod(d.dir, 0o755)
    w, all_ = Watch(uid=65534), Watch()
    mine, roots = Sender(b"his", uid=65534), Sender(b"roots")
    roots.send(), mine.send()
    r = w.record()
    t.same((r.get("comm"), r.get("uid")), ("his", 65534), "a user sees his own socket's error, and nothing else")
    t.same(sorted((all_.record()["comm"], all_.record()["comm"])), ["his", "roots"], "root sees both")
    w.end(), all_.end(), mine.end(), roots.end()


def status():
    s = Sender()
    c = d.client()
    x = ns.socket(socket.AF_INET, socket.SOCK_DGRAM)
    x.bind(("127.0.0.1", 0))
    c.register(x)
    r = ctl("status", "--json")
    rows = [json.loads(line) for line in r.stdout.splitlines()]
    daemon, clients = rows[0], rows[1:]
    t.same((daemon["type"], daemon["path"], daemon["pid"]), ("icmpd", d.path, d.p.pid), "status --json")
    t.ok(daemon["counters"]["heard4"] > 0 and daemon["counters"]["sockets"] == 1, "its counters", daemon)
    t.ok(any(row["type"] == "client" and row["pid"] == os.getpid() and row["sockets"] == 1
             for row in clients), "its clients", clients)
    r = ctl("status")
    t.ok(r.returncode == 0 and "heard4" in r.stdout and "process %d" % d.p.pid in r.stdout, "status", r.stdout)
    if ROOT:
        rows = [json.loads(line) for line in ctl("status", "--json", uid=65534).stdout.splitlines()]
        t.ok(all(row["uid"] == 65534 for row in rows if row["type"] == "client"),
             "a user sees his own clients alone", rows)
    c.close(), x.close(), s.end()


def metrics():
    """The text format: families in order, HELP and TYPE, _total, # EOF."""
    text = ctl("metrics").stdout
    lines = text.splitlines()
    t.ok(lines and lines[-1] == "# EOF" and text.endswith("\n"), "metrics end with # EOF", text[-200:])
    family, wrong, samples = None, [], {}
    for line in lines[:-1]:
        m = re.fullmatch(r"# (TYPE|UNIT|HELP) (\w+) (.+)", line)
        if m and m[1] == "TYPE":
            family = (m[2], m[3])
            wrong += [line] if m[3] not in ("gauge", "counter") else []
        elif m:
            wrong += [line] if m[2] != family[0] else []
        else:
            m = re.fullmatch(r"(\w+) (\d+)", line)
            want = family[0] + ("_total" if family[1] == "counter" else "")
            wrong += [line] if not m or m[1] != want else []
            samples[line.split()[0]] = int(line.split()[1])
    t.same(wrong, [], "metrics are OpenMetrics text")
    t.ok(samples.get("icmpd_heard4_total", 0) > 0 and "icmpd_sockets" in samples, "and hold the counters", samples)
    with tempfile.TemporaryDirectory() as tmp:
        path = tmp + "/icmpd.prom"
        other = path + ".other"
        os.symlink(other, path + ".new")
        r = ctl("metrics", "-o", path)
        t.ok(not os.path.exists(other) and not os.path.islink(path), "and follows no link that lies there")
        t.ok(r.returncode == 0 and not r.stdout and open(path).read().endswith("# EOF\n"), "metrics -o FILE")
        t.same(os.listdir(tmp), ["icmpd.prom"], "leaves nothing beside it")
    r = ctl("metrics", "-o", "/nonexistent/x")
    t.ok(r.returncode == 1 and "/nonexistent/x" in r.stderr and r.stderr.count("\n") == 1,
         "metrics -o where it cannot: status 1, one line", r.stderr)


def goes_and_comes():
    w, s = Watch(), Sender()
    d.end(signal.SIGKILL)
    r = w.record()
    t.same((r.get("type"), r.get("what")), ("notice", "down"), "icmpd is killed: told")
    r = ctl("status")
    t.ok(r.returncode == 1 and d.path in r.stderr and r.stderr.count("\n") == 1, "status: 1, one line", r.stderr)
    d.start()
    seen = []
    while not seen or seen[-1].get("what") != "watching":
        seen.append(w.record())
        if not seen[-1]:
            break
    t.ok(seen[-1] and "up" in [x.get("what") for x in seen], "icmpd is back: told, and watching again", seen)
    s.send()
    t.same((w.record() or {}).get("pid"), s.pid, "and errors are shown again")
    w.end(), s.end()


names_it()
says_why_not()
filters()
users()
status()
metrics()
goes_and_comes()
d.stop()
t.done()
