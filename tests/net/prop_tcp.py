#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Connects that meet every ICMP error, forged a while after the SYN, RSTs, late
answers, and listen queues: what the library tells is what was forged, and its
errno is what a socket of the standard library got from the same error.
"""
import ctypes as C
import errno
import os
import select
import socket
import struct
import subprocess

from kit import netns, packet, sky, tap
from kit.forger import FAR, HOME, ROUTER, V4, V6, Lab
from kit.sky import Addr, Fate, i32, lib, u32, u64

TCP = 6
SENTINEL = 12345
TRYING, CONNECTED, FAILED = range(3)
RECVERR = {V4: (0, 11), V6: (41, 25)}
CASES = {
    V4: [(3, c) for c in range(17)] + [(4, 0), (5, 0), (11, 0), (11, 1), (12, 0)],
    V6: [(1, c) for c in range(7)] + [(2, 0), (3, 0), (3, 1), (4, 0), (4, 1)],
}
WORDS = {
    V4: {(3, 0): "net-unreachable", (3, 1): "host-unreachable", (3, 2): "no-protocol", (3, 3): "refused",
         (3, 9): "filtered", (3, 10): "filtered", (3, 13): "filtered", (11, 0): "hop-limit", (12, 0): "bad-header"},
    V6: {(1, 0): "net-unreachable", (1, 1): "filtered", (1, 3): "host-unreachable", (1, 4): "refused",
         (1, 5): "filtered", (3, 0): "hop-limit", (4, 0): "bad-header"},
}


class Report(C.Structure):
    _fields_ = [("size", u32), ("flags", u32), ("state", i32), ("syns", u32), ("probes", u32),
                ("softs", u32), ("waited_ns", u64), ("fate", Fate), ("soft", Fate), ("reserved", u32 * 8)]


class Queue(C.Structure):
    _fields_ = [("size", u32), ("len", u32), ("limit", u32), ("drops", u32), ("have_drops", C.c_bool),
                ("have_overflows", C.c_bool), ("overflows", u64), ("listen_drops", u64), ("reserved", u32 * 8)]


lib.sky_tcp_deadline.restype = C.c_uint64


class Try:
    """An explained connect on a socket of ours."""

    def __init__(self, lab, family, to, timeout=0, sock_family=None):
        self.words = (u64 * 128)()
        self.s = lab.a.socket(sock_family or family, socket.SOCK_STREAM)
        self.family, self.to = family, to
        C.set_errno(SENTINEL)
        with lab.a:
            self.rc = lib.sky_tcp_begin(self.words, self.s.fileno(), C.byref(Addr.of(*to)),
                                        C.c_uint64(int(timeout * 1e9)))

    def progress(self):
        return lib.sky_tcp_progress(self.words)

    def wait(self, seconds=5):
        """Polls as a loop would, until it is settled or the time is over."""
        p = select.poll()
        p.register(self.s, lib.sky_tcp_want(self.words))
        for _ in range(50):
            rc = self.progress()
            if rc:
                return rc
            if not p.poll(seconds * 1000):
                break
        return self.progress()

    def report(self):
        r = Report(size=C.sizeof(Report))
        rc = lib.sky_tcp_report(self.words, C.byref(r))
        assert rc == 0, rc
        return r

    def sentence(self):
        buf = C.create_string_buffer(512)
        lib.sky_tcp_explain(C.byref(self.report()), buf, C.c_size_t(512))
        return buf.value.decode()


def catch(lab, family, dport):
    """The next SYN to this port, as an IP packet."""
    s = lab.wire.ins[packet.ETH_IPV6 if family == V6 else packet.ETH_IP]
    s.settimeout(3)
    for _ in range(10000):
        data, addr = s.recvfrom(65535)
        if addr[2] == socket.PACKET_OUTGOING or len(data) < 40:
            continue
        d = packet.Datagram(data)
        if d.proto == TCP and d.dport == dport:
            return d
    raise TimeoutError("no SYN to port %d" % dport)


def segment(d, flags, seq, ack):
    """RFC 9293: an answer to d, without data."""
    head = struct.pack("!HHIIBBHHH", d.dport, d.sport, seq, ack, 5 << 4, flags, 65535, 0, 0)
    pseudo = packet.pton(d.dst) + packet.pton(d.src)
    pseudo += struct.pack("!II", len(head), TCP) if ":" in d.src else struct.pack("!HH", TCP, len(head))
    head = head[:16] + struct.pack("!H", packet.checksum(pseudo + head)) + head[18:]
    return packet.ip(d.dst, d.src, TCP, head)


def seq_of(d):
    return struct.unpack("!I", d.packet[d.head + 4:d.head + 8])[0]


def rest_of(family, case):
    if case in ((3, 4), (2, 0)):
        return struct.pack("!HH", 0, 1200) if family == V4 else struct.pack("!I", 1300)
    return socket.inet_aton("10.9.0.3") if family == V4 and case[0] == 5 else bytes(4)


def forge(lab, family, case, d, change=lambda p: p):
    lab.wire.put(packet.icmp(ROUTER[family], HOME[family], *case, rest_of(family, case), change(d.packet)))
    lab.fence()


def plain(lab, family, case):
    """A socket of the standard library: errno of the connect, 0 while it tries."""
    to = lab.next(family)
    s = lab.a.socket(family, socket.SOCK_STREAM)
    s.setblocking(False)
    s.setsockopt(*RECVERR[family], 1)
    s.connect_ex(to)
    forge(lab, family, case, catch(lab, family, to[1]))
    state = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    err = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    s.close()
    lab.forget()
    return err if state == 7 else 0


def check_error(t, lab, family, case, sock_family):
    want = plain(lab, family, case)
    to = lab.next(family)
    c = Try(lab, family, to, sock_family=sock_family)
    rc = c.progress()
    d = catch(lab, family, to[1])
    forge(lab, family, case, d)
    rc = c.wait(0) if rc == 0 else rc
    r, f = c.report(), c.report().fate
    untouched = C.get_errno() == SENTINEL
    name = "ICMP%s %d/%d%s: %s" % ("v6" if family == V6 else "", *case, " on a dual-stack socket" if
                                   sock_family != family else "", errno.errorcode.get(want, "it goes on"))
    if not want:
        good = rc == 0 and r.state == TRYING and f.word() == "sent"
    else:
        good = rc == -want and r.state == FAILED and (f.icmp_type, f.icmp_code) == case and f.err == want \
            and f.by.plain()[1] == ROUTER[family] and f.dst.plain() == (family, *to) and f.proto == TCP \
            and f.trust == sky.MATCHED and f.evidence == sky.BY_QUEUE and ROUTER[family] in c.sentence() \
            and WORDS[family].get(case, f.word()) == f.word() and r.syns == 1
    t.ok(good and untouched, name, "rc %d state %d %s errno %s" % (rc, r.state, c.sentence(), C.get_errno()))
    c.s.close()
    lab.forget()


def check_foreign(t, lab, family):
    """Errors about SYNs that were not sent end nothing."""
    at = 40 if family == V6 else 20

    def changed(i, n):
        return lambda p: p[:at + i] + bytes(x ^ 0x55 for x in p[at + i:at + i + n]) + p[at + i + n:]

    for what, change in (("another source port", changed(0, 2)), ("another destination port", changed(2, 2)),
                         ("another sequence number", changed(4, 4))):
        to = lab.next(family)
        c = Try(lab, family, to)
        forge(lab, family, (3, 3) if family == V4 else (1, 4), catch(lab, family, to[1]), change)
        t.ok(c.progress() == 0 and c.report().softs == 0, "%s in the quote: ignored (%s)" % (
            what, "v6" if family == V6 else "v4"), c.sentence())
        c.s.close()


def check_answers(t, lab, family):
    v = "v6" if family == V6 else "v4"
    to = lab.next(family)
    c = Try(lab, family, to)
    d = catch(lab, family, to[1])
    lab.wire.put(segment(d, 0x14, 0, seq_of(d) + 1))
    rc = c.wait()
    f = c.report().fate
    t.ok(rc == -errno.ECONNREFUSED and f.word() == "refused" and not f.have & sky.ICMP
         and c.sentence() == "refused by the host itself (RST)", "a late RST (%s)" % v, c.sentence())
    t.ok(c.progress() == rc and lib.sky_tcp_want(c.words) == 0, "settled: it says the same for ever (%s)" % v)
    c.s.close()
    to = lab.next(family)
    c = Try(lab, family, to)
    d = catch(lab, family, to[1])
    t.ok(c.progress() == 0 and c.report().state == TRYING and c.report().fate.word() == "sent"
         and c.sentence().startswith("still trying, no answer to 1 SYN in 0.0"), "while it tries (%s)" % v, c.sentence())
    lab.wire.put(segment(d, 0x12, 1000, seq_of(d) + 1))
    rc = c.wait()
    recverr = c.s.getsockopt(*RECVERR[family])
    t.ok(rc == 1 and c.report().state == CONNECTED and c.report().fate.word() == "answered" and recverr == 0,
         "a late SYN and ACK: connected, and the error queue is off again (%s)" % v, (rc, recverr, c.sentence()))
    s = lab.wire.ins[packet.ETH_IPV6 if family == V6 else packet.ETH_IP]
    c.s.send(b"x")
    data = catch(lab, family, to[1])
    while len(data.packet) <= data.head + (data.packet[data.head + 12] >> 4) * 4:
        data = catch(lab, family, to[1])        # the ACK came first
    forge(lab, family, (3, 1) if family == V4 else (1, 3), data)
    t.ok(c.s.send(b"y") == 1, "on a connection a passing error costs no send (%s)" % v)
    c.s.close()
    # one that comes while it tries, is soft, and is forgotten when it is connected
    to = lab.next(family)
    c = Try(lab, family, to)
    d = catch(lab, family, to[1])
    forge(lab, family, (3, 4) if family == V4 else (2, 0), d)
    lab.wire.put(segment(d, 0x12, 1000, seq_of(d) + 1))
    t.ok(c.wait() == 1 and c.s.send(b"z") == 1, "too big while it tries ends nothing (%s)" % v, c.sentence())
    c.s.close()
    lab.forget()


def check_deadline(t, lab, family):
    to = lab.next(family)
    c = Try(lab, family, to, timeout=0.3)
    left = lib.sky_tcp_deadline(c.words)
    p = select.poll()
    p.register(c.s, select.POLLOUT)
    quiet = p.poll(300) == []
    rc = c.wait(0)
    while rc == 0:
        rc = c.wait(0.01)
    r = c.report()
    t.ok(quiet and rc == -errno.ETIMEDOUT and r.fate.word() == "silent" and r.syns == 1 and left > 0
         and 0.3e9 <= r.waited_ns < 1e9, "the deadline: silent, one SYN (%s)" % ("v6" if family == V6 else "v4"),
         (rc, c.sentence()))
    c.s.close()


def check_calls(t, lab):
    u = lab.a.socket(V4, socket.SOCK_DGRAM)
    words = (u64 * 128)()
    to = C.byref(Addr.of("10.9.0.2", 9))
    t.same(lib.sky_tcp_begin(words, u.fileno(), to, C.c_uint64(0)), -errno.EPROTOTYPE, "a UDP socket is refused")
    t.same(lib.sky_tcp_begin(words, 9999, to, C.c_uint64(0)), -errno.EBADF, "a descriptor that is not open")
    with open("/dev/null") as f:
        t.same(lib.sky_tcp_begin(words, f.fileno(), to, C.c_uint64(0)), -errno.ENOTSOCK, "no socket")
    s = lab.a.socket(V4, socket.SOCK_STREAM)
    t.same(lib.sky_tcp_begin(words, s.fileno(), C.byref(Addr.of("fd09::2", 9)), C.c_uint64(0)),
           -errno.EAFNOSUPPORT, "an address of the other family")
    r = Report(size=4)
    t.same(lib.sky_tcp_report(words, C.byref(r)), -errno.EINVAL, "a report of the wrong size")
    classes = [lib.sky_tcp_accept_class(e) for e in (errno.EAGAIN, errno.ECONNABORTED, -errno.EMFILE,
                                                     errno.ENFILE, errno.EBADF, errno.EINVAL)]
    t.same(classes, [0, 1, 2, 2, 3, 3], "what errors of accept mean")
    buf = C.create_string_buffer(b"#" * 8, 8)
    ok = Report(size=C.sizeof(Report), state=CONNECTED)
    n = lib.sky_tcp_explain(C.byref(ok), buf, C.c_size_t(4))
    t.ok(n > 8 and buf.raw[:4] == b"con\0" and buf.raw[4:] == b"####", "a sentence that is cut keeps its bounds", buf.raw)


def check_queue(t, lab):
    s = lab.a.socket(V4, socket.SOCK_STREAM)
    s.bind(("127.0.0.1", 0))
    q = Queue(size=C.sizeof(Queue))
    t.same(lib.sky_tcp_queue(s.fileno(), C.byref(q)), -errno.EINVAL, "a socket that does not listen")
    s.listen(2)
    with lab.a:
        before = Queue(size=C.sizeof(Queue))
        lib.sky_tcp_queue(s.fileno(), C.byref(before))
    conns = []
    for _ in range(5):
        c = lab.a.socket(V4, socket.SOCK_STREAM)
        c.setblocking(False)
        c.connect_ex(s.getsockname())
        conns.append(c)
    C.set_errno(SENTINEL)
    with lab.a:
        rc = lib.sky_tcp_queue(s.fileno(), C.byref(q))
        seen = subprocess.run(["ss", "-tlHn"], capture_output=True, text=True).stdout.split()
    t.ok(rc == 0 and C.get_errno() == SENTINEL and (q.len, q.limit) == (3, 2) == (int(seen[1]), int(seen[2])),
         "three wait in a queue of two, as ss says", (q.len, q.limit, seen))
    t.ok(q.drops == 2 and q.have_overflows and q.overflows - before.overflows == 2
         and q.listen_drops - before.listen_drops == 2, "two SYNs were dropped, and counted",
         (q.drops, q.overflows - before.overflows))
    for c in conns[3:]:
        c.close()       # their next SYNs would get through
    peer, local = Addr(), Addr()
    got = [lib.sky_tcp_accept(s.fileno(), C.byref(peer), C.byref(local)) for _ in range(4)]
    t.ok(all(fd >= 0 for fd in got[:3]) and got[3] == -errno.EAGAIN and local.plain()[1:] == s.getsockname()
         and peer.plain()[1:] == conns[2].getsockname(), "accept: three, then nobody", got)
    for fd in got[:3]:
        os.close(fd)
    for c in conns:
        c.close()
    s.close()


def check_many(t, lab):
    """A thousand attempts leave no descriptor and no poll event behind."""
    before = len(os.listdir("/proc/self/fd"))
    s = lab.a.socket(V4, socket.SOCK_STREAM)
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    good = 0
    for _ in range(1000):
        c = Try(lab, V4, ("127.0.0.1", port))
        good += c.wait() == -errno.ECONNREFUSED
        c.s.close()
    t.ok(good == 1000 and len(os.listdir("/proc/self/fd")) == before, "a thousand refused connects", good)


def main():
    netns.isolate()
    t = tap.Tap(100)
    lab = Lab()
    check_calls(t, lab)
    for family in (V4, V6):
        for case in CASES[family]:
            check_error(t, lab, family, case, family)
        check_foreign(t, lab, family)
        check_answers(t, lab, family)
        check_deadline(t, lab, family)
    for case in ((3, 1), (3, 3), (11, 0)):
        check_error(t, lab, V4, case, V6)
    check_queue(t, lab)
    check_many(t, lab)
    t.done()


if __name__ == "__main__":
    main()
