#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What can be switched: segmentation and its memory, errors, local errors
told twice; groups, scopes, and one datagram of a batch that cannot be sent."""
import ctypes
import select
import socket
import time

from kit import netns, packet, sky, tap
from kit.forger import HOME, ROUTER, Lab
from kit.path import A, B, R, V4, V6, Path

NAMES = {V4: "IPv4", V6: "IPv6"}
NO_CHECKSUM, MULTICAST_IF, GSO_MEMORY_MS = 10, 9, 11
LOCAL_TWICE, MULTICAST_TTL = 1 << 10, 2
M_TTL, M_TOS = 1 << 2, 1 << 3
GROUP = {V4: "239.1.2.3", V6: "ff15::1:2:3"}


def plain(ns, family, host, port=0):
    s = ns.socket(family, socket.SOCK_DGRAM)
    s.bind((host, port))
    return s


def ready(fd, seconds=3):
    return bool(select.select([fd], [], [], seconds)[0])


def reply(u, m, data):
    out = sky.Msg()
    rc = sky.lib.sky_udp_reply(ctypes.byref(out), ctypes.byref(m))
    if rc:
        return rc
    back = sky.batch([(data, None)])
    out.data, out.len = back[0].data, len(data)
    back[0] = out
    u.send_all(back)
    return back[0].status


def check_memory(t, path):
    """A refusal is remembered for its destination, not for another, and for a
    while, not for ever."""
    u = sky.Socket(path.a, family=V4, sndbuf=1 << 20, room=16)
    one, two = (plain(path.b, V4, B[V4]).getsockname() for _ in range(2))
    far, refused = R[V4], []
    u.set(NO_CHECKSUM, 1)
    for to in (one, one, two, (far, 9)):
        u.send(bytes(1000), to[:2], 100)
        refused.append(u.info().gso_refused)
    t.same(refused, [1, 1, 1, 2], "a refusal is remembered for each host")
    u.set(NO_CHECKSUM, 0)
    u.send(bytes(1000), one[:2], 100)
    t.same(u.info().gso_trains, 0, "... and not tried again at once")
    u.set(GSO_MEMORY_MS, 1)
    end = time.monotonic() + 0.002
    while time.monotonic() < end:
        select.select([], [], [], end - time.monotonic() if end > time.monotonic() else 0)
    u.send(bytes(1000), one[:2], 100)
    t.same(u.info().gso_trains, 1, "... but forgotten in the end")
    u.set(GSO_MEMORY_MS, 60000)
    u.set(NO_CHECKSUM, 1)
    u.send(bytes(1000), (far, 9), 100)
    u.set(NO_CHECKSUM, 0)
    rc = u.set(sky.SET_GSO, 1)
    u.send(bytes(1000), (far, 9), 100)
    t.same((rc, u.info().gso_trains), (0, 2), "... or when segmentation is switched on")
    u.set(sky.SET_GSO, 0)
    u.send(bytes(1000), one[:2], 100)
    i = u.info()
    t.same((i.gso_trains, i.tx), (2, 90), "switched off: sent one by one")
    u.close()


def check_errors_off(t, lab, family):
    """Off: the queue is purged, nothing more is told; on again: told."""
    to, case = lab.next(family), (3, 3) if family == V4 else (1, 4)
    u = sky.Socket(lab.a, family=family, pmtu=3)
    told = []
    for on in (None, 0, None, 1, None):
        if on is not None:
            told.append(u.set(sky.SET_ERRORS, on))
            continue
        u.send(b"x", to)
        lab.forge(family, *case, to[1], bytes(4))
        told.append(len(u.errors()) if len(told) != 0 else "left")
    t.same(told, ["left", 0, 0, 0, 1],
           "errors off and on again, %s: each datagram was sent" % NAMES[family])
    u.send(b"x", to)
    lab.forge(family, *case, to[1], bytes(4))
    u.send(bytes(2000), to)  # too big: what waits is taken into the handle
    before = (u.pending(), u.info().errors)
    u.set(sky.SET_ERRORS, 0)
    t.same((before, u.pending(), u.info().errors), ((1, 2), 0, 2),
           "... counted as before, %s" % NAMES[family])
    u.close()


def check_local_twice(t, path, family):
    u = sky.Socket(path.a, family=family, pmtu=3, flags=LOCAL_TWICE)
    status = u.send(bytes(2000), (B[family], 9))
    got = [(f.word(), f.origin, f.mtu, bool(f.have & sky.MTU), f.by.plain()[0], f.dst.plain()[1])
           for f in u.errors()]
    t.same((sky.err(status), got), ("EMSGSIZE", [("too-big", 1, 1500, True, 0, B[family])]),
           "a local error told by the call and by errors(), %s" % NAMES[family])
    u.close()


def check_batch(t, path, family):
    """What cannot be sent at all has its own status; its neighbours go out."""
    s = plain(path.b, family, B[family])
    to = s.getsockname()[:2]
    wrong = (B[V6], 9) if family == V4 else ("10.33.0.1", 9)
    noway = ("10.33.0.1" if family == V4 else "fd33::1", 9)
    items = [(b"1", to), (b"-", noway), (b"2", to), (bytes(70000), to), (b"3", to), (b"-", None),
             (b"4", to), (b"-", wrong), (b"5", to)]
    u = sky.Socket(path.a, family=family, flags=sky.V6ONLY if family == V6 else 0)
    m = sky.batch(items)
    n = u.send_all(m)
    got = [s.recv(100) for _ in range(5) if ready(s)]
    status = [sky.err(x.status) for x in m]
    t.same((n, got, status[:6:2] + status[6::2]), (9, [b"1", b"2", b"3", b"4", b"5"], [0] * 5),
           "a batch with four that cannot be sent, %s: five arrive" % NAMES[family])
    t.ok(status[1] == "ENETUNREACH" and status[3] == "EMSGSIZE" and status[5] == "EDESTADDRREQ"
         and status[7] in ("EAFNOSUPPORT", "ENETUNREACH") and u.errors() == []
         and u.info().tx == 5, "... each with its own status", status, u.info().tx)
    u.close()
    s.close()


def check_marks(t, path, family):
    """TTL and TOS of one datagram; what the receiver saw of it, and when."""
    want = sky.WANT_TTL | sky.WANT_TOS | sky.WANT_TIME | sky.WANT_LOCAL
    v = sky.Socket(path.b, local=(B[family], 0), want=want)
    u = sky.Socket(path.a, family=family)
    before = time.time_ns()
    u.send(b"marked", v.name()[:2], have=M_TTL | M_TOS, ttl=9, tos=0xB8)
    u.send(b"plain", v.name()[:2])
    ready(v)
    got = v.recv(2) + (v.recv(2) if ready(v, 0) else [])
    seen = [(m.bytes(), m.ttl, m.tos, m.local.plain()[1], bool(m.have & M_TTL)) for m in got]
    t.same(seen, [(b"marked", 8, 0xB8, B[family], True), (b"plain", 63, 0, B[family], True)],
           "TTL and TOS of one datagram, %s" % NAMES[family])
    t.ok(all(before <= m.time_ns <= time.time_ns() for m in got), "... and the time it came")
    u.close()
    v.close()


def check_link_local(t, path):
    """fe80:: says nothing without the interface: the answer finds the way."""
    for ns, ifname, host in ((path.a, "a0", "fe80::a"), (path.r, "r0", "fe80::b")):
        ns.ip("-6 addr add %s/64 dev %s nodad" % (host, ifname))
    u = sky.Socket(path.r, local=("::", 0), want=sky.WANT_LOCAL)
    c = path.a.socket(V6, socket.SOCK_DGRAM)
    with path.a:
        c.bind(("fe80::a", 0, 0, socket.if_nametoindex("a0")))
        c.sendto(b"ask", ("fe80::b", u.name()[1], 0, socket.if_nametoindex("a0")))
    ready(u)
    m = (u.recv(1) or [sky.Msg()])[0]
    status = reply(u, m, b"answer")
    got = c.recvfrom(100) if ready(c) else (None, (None, None))
    t.same((status, got[0], got[1][0].split("%")[0] if got[0] else None),
           (0, b"answer", "fe80::b"), "asked at a link-local address, answered from there")
    u.close()
    c.close()


def join(u, ns, family, group, source, ifname, call="sky_udp_join"):
    with ns:
        index = socket.if_nametoindex(ifname)
        s = ctypes.byref(sky.Addr.of(source)) if source else None
        return getattr(sky.lib, call)(u.words, ctypes.byref(sky.Addr.of(group)), s, index)


def check_groups(t, path, family):
    """Any source, one source, none: what arrives; an answer from our own address."""
    group = GROUP[family]
    u = sky.Socket(path.r, local=("0.0.0.0" if family == V4 else "::", 0), want=sky.WANT_LOCAL)
    port = u.name()[1]
    v = sky.Socket(path.a, family=family, local=(A[family], 0))
    with path.a:
        rc = [v.set(MULTICAST_IF, socket.if_nametoindex("a0")), v.set(MULTICAST_TTL, 3)]
    rc.append(join(u, path.r, family, group, None, "r0"))
    v.send(b"one", (group, port))
    got = u.recv(4) if ready(u) else []
    t.same((rc, [(m.bytes(), m.flags & sky.M_GROUP, m.local.plain()[1]) for m in got]),
           ([0, 0, 0], [(b"one", sky.M_GROUP, group)]), "a group joined, %s" % NAMES[family])
    status = reply(u, got[0], b"re") if got else None
    back = v.recv(1) if ready(v) else []
    own = [m.peer.plain()[1] for m in back]
    t.ok(status == 0 and own and own[0] != group and len(own) == 1, "... answered from %s" % own)
    rc = [join(u, path.r, family, group, None, "r0", "sky_udp_leave")]
    v.send(b"two", (group, port))
    rc.append(join(u, path.r, family, group, "10.9.0.99" if family == V4 else "fd09::99", "r0"))
    v.send(b"three", (group, port))
    rc.append(join(u, path.r, family, group, A[family], "r0"))
    v.send(b"four", (group, port))
    v.send(b"end", (R[family], port))
    seen = []
    while b"end" not in seen and ready(u):
        seen += [m.bytes() for m in u.recv(8)]
    t.same((rc, seen), ([0, 0, 0], [b"four", b"end"]),
           "left, joined for another source, and for this one, %s" % NAMES[family])
    u.close()
    v.close()


def check_old_router(t, lab):
    """A router that quotes 8 bytes and no MTU (RFC 792, before RFC 1191)."""
    to = lab.next(V4)
    u = sky.Socket(lab.a, family=V4)
    u.send(b"a datagram", to)
    d = lab.wire.catch(V4, to[1])
    lab.wire.put(packet.icmp(ROUTER[V4], HOME[V4], 3, 4, bytes(4), d.packet[:28]))
    lab.fence()
    got = [(f.word(), f.mtu, bool(f.have & sky.MTU), f.bytes(), sky.vouch(f, b"a datagram"))
           for f in u.errors()]
    t.same(got, [("too-big", 0, True, b"", sky.SHORT)], "an old router's too big: MTU 0, no quote")
    u.close()


def main():
    netns.isolate()
    t = tap.Tap(60)
    path, lab = Path(1500), Lab()
    check_memory(t, path)
    for family in (V4, V6):
        check_errors_off(t, lab, family)
        check_local_twice(t, path, family)
        check_batch(t, path, family)
        check_marks(t, path, family)
        check_groups(t, path, family)
    check_link_local(t, path)
    check_old_router(t, lab)
    t.done()


if __name__ == "__main__":
    main()
