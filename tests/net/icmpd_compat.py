#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""icmpd --compat-socket: a client written from the description of the book's
protocol alone. One byte with a descriptor, one byte back, then structs."""
import ctypes as C
import errno
import os
import select
import socket
import struct
import tempfile
import time

from kit import icmpd, icmpdbed, tap
from kit.forger import FAR, HOME, V4, V6

SECONDS = 8


class Storage(C.Structure):
    """struct sockaddr_storage: 128 bytes, aligned for a long."""
    _fields_ = [("family", C.c_ushort), ("rest", C.c_char * 118), ("align", C.c_ulong)]


class Err(C.Structure):
    """struct icmpd_err"""
    _fields_ = [("errno", C.c_int), ("type", C.c_char), ("code", C.c_char),
                ("len", C.c_uint), ("dest", Storage)]

    def plain(self):
        raw = bytes(self.dest)
        family, port = struct.unpack("=H", raw[:2])[0], struct.unpack("!H", raw[2:4])[0]
        at = raw[4:8] if family == V4 else raw[8:24]
        return (errno.errorcode[self.errno], self.type[0], self.code[0], self.len,
                socket.inet_ntop(family, at), port)


class Book:
    def __init__(self, path, uid=None):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.s.settimeout(SECONDS)
        icmpd.as_user(uid, lambda: self.s.connect(path)) if uid else self.s.connect(path)

    def hand_over(self, *fds):
        """The answer to a byte with these descriptors."""
        socket.send_fds(self.s, [b"1"], fds)
        return self.answer()

    def answer(self):
        try:
            return self.s.recv(1)
        except (ConnectionResetError, socket.timeout):
            return b"none"

    def event(self, seconds=SECONDS):
        if not select.select([self.s], [], [], seconds)[0]:
            return None
        data = self.s.recv(C.sizeof(Err))
        return Err.from_buffer_copy(data).plain() if len(data) == C.sizeof(Err) else data

    def none_after(self, bed):
        """Nothing came, when something that was sent later has come."""
        bed.fence()
        mark.events(bed)
        return not select.select([self.s], [], [], 0)[0]


class Mark:
    """A second compat client: what it is told of came later."""

    def __init__(self, path):
        self.sock, self.c = bed.socket(V4), Book(path)
        self.c.hand_over(self.sock.fileno())

    def events(self, bed):
        bed.error(self.sock)
        return self.c.event()


def book_client(family):
    s = bed.socket(family)
    c = Book(path)
    t.same(c.hand_over(s.fileno()), b"1", "a descriptor of %s is taken" % family.name)
    size = 16 if family == V4 else 28
    rows = {V4: (((3, 3), "ECONNREFUSED"), ((3, 4), "EMSGSIZE"), ((3, 1), "EHOSTUNREACH"),
                 ((3, 13), "EHOSTUNREACH"), ((11, 0), "EHOSTUNREACH"), ((11, 1), "EHOSTUNREACH"),
                 ((4, 0), "EHOSTUNREACH")),
            V6: (((1, 4), "ECONNREFUSED"), ((1, 0), "EHOSTUNREACH"), ((2, 0), "EMSGSIZE"),
                 ((3, 0), "EHOSTUNREACH"))}[family]
    for kind, name in rows:
        bed.error(s, kind=kind, dport=53)
        t.same(c.event(), (name, *kind, size, FAR[family], 53), "%s %d/%d is %s" % (family.name, *kind, name))
    for kind in {V4: ((12, 0), (5, 1)), V6: ((4, 0),)}[family]:
        bed.error(s, kind=kind)
        t.ok(c.none_after(bed), "%s %d/%d is not told, as in the book" % (family.name, *kind))
    c.s.close()
    s.close()


def full_tuple():
    s = bed.socket(V4)
    c = Book(path)
    c.hand_over(s.fileno())
    bed.put(V4, 3, 3, icmpdbed.quote(V4, s.getsockname()[1], src="10.9.0.77"))
    t.ok(c.none_after(bed), "the port alone is right: not told")
    s.connect((FAR[V4], 4000))
    bed.error(s, dport=4001)
    t.ok(c.none_after(bed), "connected: another peer's is not told")
    bed.error(s, dport=4000)
    t.same(c.event()[:3], ("ECONNREFUSED", 3, 3), "its own peer's is")
    port = s.getsockname()[1]
    s.close()
    again = bed.socket(V4, port=port)
    bed.error(again)
    t.ok(c.none_after(bed), "closed, and the port is another's: free at once, and not told")
    again.close()
    c.s.close()
    s = bed.lab.a.socket(V4, socket.SOCK_DGRAM)
    c = Book(path)
    t.same(c.hand_over(s.fileno()), b"1", "a socket that is not bound is taken")
    s.bind((HOME[V4], 0))
    bed.error(s)
    t.same(c.event()[:3], ("ECONNREFUSED", 3, 3), "and told when it has been bound since")
    c.s.close()
    s.close()


def mapped():
    s = bed.lab.a.socket(V6, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.bind(("::", 0))
    c = Book(path)
    c.hand_over(s.fileno())
    bed.error(s, family=V4)
    t.same(c.event(), ("ECONNREFUSED", 3, 3, 28, "::ffff:" + FAR[V4], 9), "v4-mapped is told")
    s.close()


def refused():
    there = bed.lab.r.socket(V4, socket.SOCK_DGRAM)
    with bed.lab.a:
        tcp, raw = socket.socket(), socket.socket(V4, socket.SOCK_RAW, 1)
    cases = (("a file", [os.open("/etc/passwd", os.O_RDONLY)]), ("a pipe", list(os.pipe())[:1]),
             ("a TCP socket", [tcp.fileno()]), ("a raw socket", [raw.fileno()]),
             ("a UNIX socket", [bed.fence_client.fileno()]),
             ("a socket of another namespace", [there.fileno()]),
             ("two sockets", [bed.fence_sock.fileno(), bed.fence_sock.fileno()]),
             ("200 descriptors", [0] * 200))
    for what, fds in cases:
        c = Book(path)
        t.same(c.hand_over(*fds), b"0", what + ": refused")
        t.same(c.s.recv(1), b"", what + ": and the connection is closed")
    c = Book(path)
    c.s.send(b"1")
    t.same(c.answer(), b"0", "no descriptor: refused")


def lingers(at):
    """One that passes such a socket three times and is gone: who exits does not wait."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
    s.connect(at)
    s.setblocking(False)
    try:
        for _ in range(1000):
            s.send(bytes(65536))
    except BlockingIOError:
        pass
    c = Book(path)
    for _ in range(3):
        socket.send_fds(c.s, [b"1"], [s.fileno()])


def linger():
    """Closed last by the daemon, it would hold it for a minute."""
    with bed.lab.a:
        full = socket.create_server(("127.0.0.1", 0))
        for _ in range(3):
            pid = os.fork()
            if pid == 0:
                try:
                    lingers(full.getsockname())
                finally:    # refused already, perhaps
                    os._exit(0)
            os.waitpid(pid, 0)
    start = time.monotonic()
    t.ok(mark.events(bed) and time.monotonic() - start < 2,
         "TCP sockets that linger hold nobody up", time.monotonic() - start)
    full.close()


def never_reads():
    s, c = bed.socket(V4), Book(path)
    c.hand_over(s.fileno())
    for i in range(3000):
        bed.error(s)
        if i % 100 == 99:
            bed.fence()
    t.ok(mark.events(bed), "a client who does not read keeps nobody waiting")
    n = 0
    while select.select([c.s], [], [], 0)[0]:
        e = c.event()
        n += 1
        if not t.results_ok(e):
            break
    t.ok(n, "%d whole events are in its buffer" % n)
    s.close()


def users():
    if os.geteuid() or open("/proc/self/uid_map").read().split()[2] == "1":
        t.skip("another user's socket", "needs root: two users")
        return
    s = bed.socket(V4)
    t.same(Book(path, uid=65534).hand_over(s.fileno()), b"0", "another user's socket: refused")
    own = bed.socket_of(65534)
    own.bind((HOME[V4], 0))
    c = Book(path, uid=65534)
    t.same(c.hand_over(own.fileno()), b"1", "his own: taken")
    bed.error(own)
    t.same(c.event()[:3], ("ECONNREFUSED", 3, 3), "and told")
    t.same(Book(path).hand_over(own.fileno()), b"0", "root sends a user's socket: refused")


t = tap.Tap(120)
t.results_ok = lambda e: isinstance(e, tuple) and e[0] == "ECONNREFUSED"
icmpdbed.begin()
folder = tempfile.mkdtemp(prefix="icmpd-compat-")    # ours: nobody takes the path away
os.chmod(folder, 0o755)
path = folder + "/icmpd"
try:
    bed = icmpdbed.Bed("--compat-socket", path)
    mark = Mark(path)
    book_client(V4)
    book_client(V6)
    full_tuple()
    mapped()
    refused()
    linger()
    never_reads()
    users()
    t.same(bed.stop(), 0, "it ends with status 0")
finally:
    if os.path.exists(path):
        os.unlink(path)
    os.rmdir(folder)
t.done()
