# SPDX-License-Identifier: BSD-2-Clause
"""The rows about services and ways to serve: what clients get, processes,
threads, descriptors; and about requests."""
import os
import socket
import struct
import time

from sockbed import Peer, discard, echo, sock
from tap import ok
from walkbed import free_port, row, server, sockets
from walk_tcp import all_of, connect
from walk_traffic import ask


def one(c, data):
    c.settimeout(20)
    c.sendall(data)
    return c.recv(99)


def answers(c, data, seconds):
    c.settimeout(seconds)
    try:
        c.sendall(data)
        return c.recv(99)
    except TimeoutError:
        return None


def children(pid):
    return open("/proc/%d/task/%d/children" % (pid, pid)).read().split()


def threads(pid):
    return len(os.listdir("/proc/%d/task" % pid))


@row("service")
def check_service():
    want = {"echo": lambda d: d == b"x", "daytime": lambda d: d.endswith(b"\r\n") and d.count(b":") == 2,
            "time": lambda d: abs(struct.unpack("!I", d)[0] - 2208988800 - time.time()) < 30,
            "chargen": lambda d: len(d) <= 512}
    for word, fine in want.items():
        p = server("-u", "--service", word)
        c = ask("127.0.0.1", p.port, b"x")
        ok(fine(c.recv(999)), "--service %s: UDP" % word)
        p.end()
    p = server("--service", "discard")
    c = connect(p.port)
    c.sendall(b"x" * 5000)
    c.shutdown(socket.SHUT_WR)
    ok(all_of(c) == b"", "--service discard: TCP, nothing comes back")
    p.end()


@row("listen")
def check_listen():
    more = free_port()
    p = server("-u", "--service", "echo", "--listen", "127.0.0.9:%d" % more)
    p.await_text("waiting on.*waiting on")
    here = sorted(s.getsockname() for s in sockets(p, socket.SOCK_DGRAM))
    ok(here == [("127.0.0.1", p.port), ("127.0.0.9", more)] and ask("127.0.0.9", more).recv(9) == b"hello",
       "--listen: one more end, which answers", here)
    p.end()


@row("iterative", "fork", "threads")
def check_ways():
    for way in ("--iterative", "-F", "--threads", None):
        p = server("--service", "echo", *([way] if way else []))
        a, b = connect(p.port), connect(p.port)
        first, second = one(a, b"a"), answers(b, b"b", 0.3 if way == "--iterative" else 20)
        kids, tasks = len(children(p.p.pid)), threads(p.p.pid)
        want = {"--iterative": (None, 0, 1), "-F": (b"b", 2, 1), "--threads": (b"b", 0, 3), None: (b"b", 0, 1)}[way]
        ok((first, second, kids) == (b"a",) + want[:2] and (tasks == want[2] or (way == "--threads" and tasks > 2)),
           "%s: two clients, %d processes, %d threads" % (way or "event-driven", kids, tasks), (first, second))
        a.close(), b.close()
        if way == "-F":
            end = time.monotonic() + 20
            while children(p.p.pid) and time.monotonic() < end:
                pass
            ok(not children(p.p.pid), "... children are reaped")
        p.end()


@row("keep-connected")
def check_keep_connected():
    for args, fin in (((), True), (("--keep-connected",), False)):
        p = server("--service", "daytime", "-F", *args)
        c = connect(p.port)
        c.settimeout(20 if fin else 0.5)
        try:
            got = all_of(c) != b""
        except TimeoutError:
            got = False
        held = sum(t.getpeername() == c.getsockname() for t in sockets(p, socket.SOCK_STREAM) if connected(t))
        ok(got == fin and held == (0 if fin else 1), "--keep-connected: %s" %
           ("without it the client sees the end" if fin else "the parent's copy keeps the connection open"), held)
        c.close()
        p.end()


def connected(s):
    try:
        s.getpeername()
        return True
    except OSError:
        return False


@row("exec")
def check_exec():
    p = server("--exec", "read x; echo \"$TCPREMOTEPORT got $x\"")
    c = connect(p.port)
    c.sendall(b"this\n")
    ok(all_of(c) == b"%d got this\n" % c.getsockname()[1], "--exec: the command has the connection and its ends")
    p.end()


@row("max-clients")
def check_max_clients():
    p = server("--service", "echo", "-F", "--max-clients", "1")
    a, b = connect(p.port), connect(p.port)
    ok(one(a, b"a") == b"a" and answers(b, b"b", 0.3) is None and len(children(p.p.pid)) == 1,
       "--max-clients: the second one waits")
    a.close()
    b.settimeout(20)
    ok(b.recv(9) == b"b", "... until the first has gone")
    p.end()


@row("as")
def check_as():
    peer = Peer("127.0.0.1", 9877, lambda data: data)
    r = sock("--as", "udpcli01", "127.0.0.1", input=b"one line\n")
    ok(r.out == "one line\n" and [d for d, _ in peer.got] == [b"one line\n"], "--as: that program's port and lines", r.all)


@row("request", "tries", "rto")
def check_request():
    peer = echo("127.0.0.1")
    r = sock("-u", "--request", "127.0.0.1", peer.port, input=b"question\n")
    data = peer.got[0][0]
    ok(b"question" in data and len(data) > len(b"question\n") and r.returncode == 0,
       "--request: the question is sent with an identification, and answered", (data, r.all))
    times = []
    dead = Peer("127.0.0.1", 0, lambda data: times.append((time.monotonic(), data)))
    r = sock("-u", "--request", "--tries", "3", "--rto", "100ms", "127.0.0.1", dead.port, input=b"question\n")
    gaps = [b[0] - a[0] for a, b in zip(times, times[1:])]
    ok(len(times) == 3 and r.returncode == 3, "--tries: so many and no more", (len(times), r.all))
    ok(0.09 < gaps[0] and 0.19 < gaps[1] and gaps[0] < gaps[1], "--rto: the first wait; it doubles", gaps)
    silent = discard("127.0.0.1")
    start = time.monotonic()
    sock("-u", "--request", "--tries", "1", "--rto", "50ms", "127.0.0.1", silent.port, input=b"q\n")
    ok(len(silent.got) == 1 and time.monotonic() - start < 5, "... one try, one wait")
