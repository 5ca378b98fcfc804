#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What arrives is what was sent: truncated, empty, in trains, refused by the
kernel's segmenter, and answered from the address it was sent to."""
import ctypes
import select
import socket

from kit import netns, sky, tap
from kit.path import A, B, V4, V6, Path

NAMES = {V4: "IPv4", V6: "IPv6"}
SECOND = {V4: "10.9.0.11", V6: "fd09::11"}


def fill(i, n):
    return (b"%08d" % i + bytes((i + k) % 251 for k in range(n)))[:n]


def plain(ns, family, host, port=0, rcvbuf=4 << 20):
    s = ns.socket(family, socket.SOCK_DGRAM)
    s.setblocking(False)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    s.bind((host, port))
    return s


def take(s, count, seconds=3):
    """Up to count datagrams, in the order of arrival."""
    out = []
    while len(out) < count and select.select([s], [], [], seconds)[0]:
        out.append(s.recv(65535))
    return out + ([s.recv(65535)] if select.select([s], [], [], 0)[0] else [])


def ready(u, seconds=3):
    return bool(select.select([u.fd], [], [], seconds)[0])


def check_receive(t, path, family):
    """Truncated, empty and whole ones in one batch."""
    u = sky.Socket(path.b, local=(B[family], 0))
    s = plain(path.a, family, A[family])
    want = [b"", b"whole", bytes(100), b"", fill(1, 300), b"end"]
    for data in want:
        s.sendto(data, u.name()[:2])
    got = []
    while len(got) < len(want) and ready(u):
        got += [(m.bytes(), m.full_len, m.flags & sky.M_TRUNC, m.peer.plain()[:2])
                for m in u.recv(8, 64)]
    t.same(got, [(d[:64], len(d), int(len(d) > 64), (family, A[family])) for d in want],
           "empty, truncated and whole datagrams, %s" % NAMES[family])
    i = u.info()
    t.same((i.rx, i.rx_truncated), (len(want), 2), "... counted, %s" % NAMES[family])
    t.same(u.recv(), [], "... and nothing more")
    u.close()
    s.close()


def check_drop_in(t, path, family):
    """sky_udp_sendto and sky_udp_recvfrom on an adopted, blocking socket."""
    s = plain(path.b, family, B[family])
    s.setblocking(True)
    u = sky.Socket(path.b, adopt=s.fileno())
    c = plain(path.a, family, A[family])
    here, buf = sky.Addr.of(*c.getsockname()[:2]), ctypes.create_string_buffer(8)
    src = sky.Addr()
    rc = [sky.lib.sky_udp_recvfrom(u.words, buf, 8, ctypes.byref(src))]
    for data in (b"", b"1234", b"longer than eight"):
        c.sendto(data, s.getsockname()[:2])
        ready(u)
        rc.append(sky.lib.sky_udp_recvfrom(u.words, buf, ctypes.c_size_t(8), ctypes.byref(src)))
    t.same((sky.err(rc[0]), rc[1:3], rc[3] >= 8, src.plain()), (
        "EAGAIN", [0, 4], True, (family,) + c.getsockname()[:2]), "recvfrom, %s" % NAMES[family])
    rc = [sky.lib.sky_udp_sendto(u.words, d, ctypes.c_size_t(len(d)), ctypes.byref(here))
          for d in (b"", b"12345")]
    t.same((rc, take(c, 2)), ([0, 5], [b"", b"12345"]), "sendto, %s" % NAMES[family])
    closed = plain(path.a, family, A[family])
    dead = sky.Addr.of(*closed.getsockname()[:2])
    closed.close()
    rc = []
    for i in range(20):
        rc.append(sky.lib.sky_udp_sendto(u.words, b"?", ctypes.c_size_t(1), ctypes.byref(dead)))
        rc.append(sky.lib.sky_udp_sendto(u.words, b"!", ctypes.c_size_t(1), ctypes.byref(here)))
    t.same((rc, take(c, 20)), ([1] * 40, [b"!"] * 20),
           "an adopted socket is blameless, %s" % NAMES[family])
    told = len(u.errors()) + u.info().errors_lost
    t.same((told, s.getblocking()), (20, True), "... and tells, its flags as they were")
    s.detach()
    u.close()
    c.close()


def check_reply(t, path, family, wild):
    """The answer leaves from the address that was asked, not the first one."""
    u = sky.Socket(path.a, local=(wild, 0), want=sky.WANT_LOCAL, family=V6 if ":" in wild else V4)
    port = u.name()[1]
    c = plain(path.b, family, B[family])
    for host in (A[family], SECOND[family]):
        c.sendto(b"ask", (host, port))
        ready(u)
        m = u.recv(1)[0]
        out = sky.Msg()
        rc = sky.lib.sky_udp_reply(ctypes.byref(out), ctypes.byref(m))
        back = sky.batch([(b"answer", None)])
        out.data, out.len = back[0].data, 6
        back[0] = out
        n = u.send_all(back)
        got = c.recvfrom(100)[1][:2] if select.select([c], [], [], 3)[0] else None
        t.same((rc, n, m.local.plain()[:2], got), (0, 1, (family, host), (host, port)),
               "asked at %s of a socket at %s, answered from there" % (host, wild))
    u.close()
    c.close()


def check_group(t, path):
    """Broadcast: answered from an address of ours; the mark says it was one."""
    u = sky.Socket(path.r, local=("0.0.0.0", 0), want=sky.WANT_LOCAL)
    c = plain(path.a, V4, A[V4])
    c.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    c.sendto(b"anybody?", ("10.9.0.255", u.name()[1]))
    ready(u)
    m = (u.recv(1) or [sky.Msg()])[0]
    out = sky.Msg()
    rc = sky.lib.sky_udp_reply(ctypes.byref(out), ctypes.byref(m))
    back = sky.batch([(b"I", None)])
    out.data, out.len = back[0].data, 1
    back[0] = out
    n = u.send_all(back)
    got = c.recvfrom(100)[1][:2] if select.select([c], [], [], 3)[0] else None
    t.same((rc, n, bool(m.flags & sky.M_GROUP), got), (0, 1, True, ("10.9.0.2", u.name()[1])),
           "a broadcast is marked, and answered from our own address")
    u.close()
    c.close()


def check_train(t, path, family, sock_family, seg, sizes, why, **conf):
    """Trains of seg bytes; the receiver, a plain socket, counts datagrams."""
    s = plain(path.b, family, B[family])
    u = sky.Socket(path.a, family=sock_family, sndbuf=1 << 20, **conf)
    if why == "no checksum":
        u.set(10, 1)
    to, want, status = s.getsockname()[:2], [], []
    for i, size in enumerate(sizes):
        data = fill(i, size)
        status.append(u.send(data, to, seg))
        want += [data[k:k + seg] for k in range(0, size, seg)]
    got = take(s, len(want))
    t.ok(got == want and not any(status),
         "trains of %d bytes each, %d datagrams, %s%s: all arrive, in order" % (
             seg, len(want), NAMES[family] + (" mapped" if family != sock_family else ""),
             ", " + why if why else ""),
         "status %s, %d arrived" % ([sky.err(x) for x in status], len(got)))
    i = u.info()
    t.same(i.tx, len(want), "... and are counted")
    if why.startswith("refused") or why == "no checksum":
        t.ok(i.gso_refused > 0, "... the refusal is counted (%d of %d trains)" % (
            i.gso_refused, i.gso_trains))
    u.close()
    s.close()


def check_trains(t, path, family, sock_family):
    check_train(t, path, family, sock_family, 100, [1000, 950, 100, 101, 99], "")
    check_train(t, path, family, sock_family, 1400, [14000, 40000, 65000 // 1400 * 1400], "")
    check_train(t, path, family, sock_family, 1, [100, 300], "more than a kernel's train")
    check_train(t, path, family, sock_family, 10, [6000], "more than a kernel's train")
    check_train(t, path, family, sock_family, 100, [3000], "switched off", flags=sky.NO_GSO)
    # 2000 bytes are more than the link: the segmenter refuses, IP fragments.
    check_train(t, path, family, sock_family, 2000, [8000, 7000], "refused: larger than the link",
                pmtu=2)
    if family == V4:
        check_train(t, path, family, sock_family, 100, [3000, 450, 9950], "no checksum")


def check_mixed_batch(t, path, family):
    """Trains, single ones and a dead peer in one batch."""
    s = plain(path.b, family, B[family])
    closed = plain(path.b, family, B[family])
    dead, to = closed.getsockname()[:2], s.getsockname()[:2]
    closed.close()
    u = sky.Socket(path.a, family=family, sndbuf=1 << 20, room=64)
    want = []
    for k in range(30):
        items = [(fill(k, 500), to), (b"", to), (fill(k, 1000), dead), (fill(k + 1, 450), to)]
        m = sky.batch(items)
        m[0].seg = m[2].seg = m[3].seg = 100
        n = u.send_all(m)
        want.append((n, [x.status for x in m]))
    every = [p for k in range(30) for data in (fill(k, 500), b"", fill(k + 1, 450))
             for p in ([data[i:i + 100] for i in range(0, len(data), 100)] or [b""])]
    got = take(s, len(every))
    t.ok(got == every and set(map(str, want)) == {str((4, [0, 0, 0, 0]))},
         "trains, empty ones and a dead peer in one batch, %s" % NAMES[family],
         "%d of %d" % (len(got), len(every)), want[:2])
    dsts = set()
    for _ in range(100):
        more = u.errors()
        dsts |= {f.dst.plain()[1:] for f in more}
        if not more:
            break
    t.same(dsts, {dead}, "... errors about the dead one only")
    u.close()
    s.close()


def check_too_wide(t, path, family):
    """Segments larger than the link where nothing may be fragmented: one
    status, the MTU with it, nothing told again."""
    u = sky.Socket(path.a, family=family, pmtu=3, sndbuf=1 << 20)
    s = plain(path.b, family, B[family])
    st = u.send(bytes(8000), s.getsockname()[:2], 2000)
    m = u.last
    t.ok(sky.err(st) == "EMSGSIZE" and m.have & sky.M_MTU and m.mtu == 1500 and m.len == 8000
         and u.errors() == [] and u.info().tx == 0,
         "a train of segments larger than the link, %s: EMSGSIZE, MTU 1500, told once"
         % NAMES[family], sky.err(st), m.have & sky.M_MTU, m.mtu, m.len, u.info().tx)
    t.same((u.send(b"next", s.getsockname()[:2]), take(s, 1)), (0, [b"next"]), "... the next arrives")
    u.close()
    s.close()


def push(u, m, bad, s, got):
    """Sends all of m, waiting for room as a program does; s receives into got."""
    at, waits = 0, 0
    while at < len(m) and waits < 2000:
        some = (sky.Msg * (len(m) - at)).from_buffer(m, at * ctypes.sizeof(sky.Msg))
        n = u.send_all(some)
        bad += [x.status for x in some[:max(n, 0)] if x.status]
        if n < 0 and sky.err(n) != "EAGAIN":
            bad.append(n)
            break
        at += max(n, 0)
        if at < len(m):
            waits += 1
            select.select([], [u.fd], [], 3)
        while select.select([s], [], [], 0)[0]:
            got.append(s.recv(65535))
    return waits


def check_slow(t, path, family, seg, size, why, **conf):
    """A link slower than the program: what was not taken is sent again by it,
    and everything arrives once, in order, trains that were stopped half-way too."""
    s = plain(path.b, family, B[family])
    u = sky.Socket(path.a, family=family, sndbuf=20000, **conf)
    items = [(fill(k, size), s.getsockname()[:2]) for k in range(30 if seg else 100)]
    m, bad, got = sky.batch(items), [], []
    for x in m:
        x.seg = seg
    waits = push(u, m, bad, s, got)
    want = [d[k:k + (seg or size)] for d, _ in items for k in range(0, size, seg or size)]
    got += take(s, len(want) - len(got))
    t.ok(got == want and not bad and waits > 0 and u.info().tx == len(want),
         "a slow link, %s, %s: %d datagrams once and in order after %d waits" % (
             why, NAMES[family], len(want), waits),
         "%d arrived" % len(got), [sky.err(x) for x in bad[:5]], u.info().tx)
    u.close()
    s.close()


def check_slows(t, path):
    try:
        path.a.run(["tc", "qdisc", "add", "dev", "a0", "root", "tbf", "rate", "40mbit",
                    "burst", "20k", "limit", "4m"])
    except (RuntimeError, FileNotFoundError) as e:
        t.skip("a slow link", "no tbf: %s" % e)
        return
    for family in (V4, V6):
        check_slow(t, path, family, 0, 1000, "single ones")
        check_slow(t, path, family, 1000, 9000, "trains")
        check_slow(t, path, family, 1000, 9000, "trains sent singly", flags=sky.NO_GSO)
        check_slow(t, path, family, 2000, 18000, "trains refused", pmtu=2)
        check_slow(t, path, family, 50, 20000, "trains in pieces")


def walk(m):
    """The datagrams of a Msg, by sky_msg_next."""
    off, at, n, out = (ctypes.c_size_t(0), ctypes.c_void_p(), ctypes.c_size_t(), [])
    sky.lib.sky_msg_next.restype = ctypes.c_bool
    while len(out) < 1000 and sky.lib.sky_msg_next(
            ctypes.byref(m), ctypes.byref(off), ctypes.byref(at), ctypes.byref(n)):
        out.append(ctypes.string_at(at.value, n.value) if n.value else b"")
    return out


def check_gro(t, path, family):
    """Received trains are walked back into what was sent."""
    u = sky.Socket(path.b, local=(B[family], 0), flags=sky.GRO, rcvbuf=4 << 20)
    v = sky.Socket(path.a, family=family, sndbuf=1 << 20)
    want, got, trains = [], [], 0
    for seg, size in ((100, 1000), (100, 950), (1200, 24000), (7, 7), (7, 20), (1, 90), (50, 0)):
        data = fill(seg, size)
        v.send(data, u.name()[:2], seg)
        want += [data[k:k + seg] for k in range(0, size, seg)] or [b""]
    while len(got) < len(want) and ready(u):
        for m in u.recv(4, 65536):
            trains += m.seg > 0
            got += walk(m)
    t.ok(got == want, "received trains, %d of them, %s: every datagram as sent" % (
        trains, NAMES[family]), len(got), len(want))
    t.same(u.info().rx, len(want), "... counted by their parts")
    data = fill(3, 1000)
    v.send(data, u.name()[:2], 100)
    ready(u)
    m = u.recv(1, 250)[0]
    t.ok(m.flags & sky.M_TRUNC and m.len == 250 and m.full_len in (1000, 100),
         "a train that does not fit is marked, %s" % NAMES[family], m.flags, m.len, m.full_len)
    u.close()
    v.close()


def check_fragments(t, path, family):
    u = sky.Socket(path.b, local=(B[family], 0), want=sky.WANT_FRAGSIZE | sky.WANT_TTL)
    v = sky.Socket(path.a, family=family, pmtu=2)
    st = v.send(fill(5, 4000), u.name()[:2])
    ready(u)
    m = (u.recv(1, 8000) or [sky.Msg()])[0]
    t.ok(st == 0 and m.len == 4000 and m.bytes() == fill(5, 4000) and 1200 < m.fragsize <= 1500
         and m.ttl == 63, "a datagram in pieces, %s: whole, its largest piece known" % NAMES[family],
         st, m.len, m.fragsize, m.ttl)
    u.close()
    v.close()


def check_overflow(t, path, family):
    """Drops are known now, without another datagram."""
    u = sky.Socket(path.b, local=(B[family], 0), rcvbuf=4096)
    s = plain(path.a, family, A[family])
    for i in range(100):
        s.sendto(fill(i, 500), u.name()[:2])
    netns.meet(path.a, B[family], path.b)
    got = u.recv(64)
    t.ok(len(got) + u.info().rx_drops == 100 and u.info().rx_drops > 50,
         "100 = %d received + %d dropped, %s" % (len(got), u.info().rx_drops, NAMES[family]))
    u.close()
    s.close()


def main():
    netns.isolate()
    t = tap.Tap(60)
    path = Path(1500)
    path.a.ip("addr add 10.9.0.11/24 dev a0", "addr add fd09::11/64 dev a0 nodad")
    for family in (V4, V6):
        check_receive(t, path, family)
        check_drop_in(t, path, family)
        check_reply(t, path, family, "0.0.0.0" if family == V4 else "::")
        check_mixed_batch(t, path, family)
        check_gro(t, path, family)
        check_fragments(t, path, family)
        check_overflow(t, path, family)
        check_too_wide(t, path, family)
    check_reply(t, path, V4, "::")
    check_group(t, path)
    for family, sock_family in ((V4, V4), (V4, V6), (V6, V6)):
        check_trains(t, path, family, sock_family)
    check_slows(t, path)
    t.done()


if __name__ == "__main__":
    main()
