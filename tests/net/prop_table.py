#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every ICMP error, forged by a router that does not exist, against sockets of
the library: what they tell is what was forged, and what the kernel made of it.

Beside each socket under test stands a socket of the standard library that gets
the same error: the kernel's own verdict, measured in the same run.
"""
import select
import socket
import struct

from kit import netns, packet, queue, sky, tap
from kit.forger import ROUTER, V4, V6, Lab
from kit.queue import name

MTU, POINTER = {V4: 1200, V6: 1300}, 23
SENT = bytes(range(64))

CASES = {
    V4: [(3, c) for c in range(17)] + [(4, 0), (5, 0), (5, 1), (11, 0), (11, 1), (11, 2)]
    + [(12, c) for c in range(4)],
    V6: [(1, c) for c in range(9)] + [(2, 0), (3, 0), (3, 1), (3, 2)]
    + [(4, c) for c in range(4)] + [(5, 0), (100, 0), (127, 0)],
}
# What these mean, from RFC 792, 1122, 1812, 4443; others are left to the table.
WORDS = {
    V4: {(3, 0): "net-unreachable", (3, 1): "host-unreachable", (3, 2): "no-protocol",
         (3, 3): "refused", (3, 4): "too-big", (3, 9): "filtered", (3, 10): "filtered",
         (3, 13): "filtered", (11, 0): "hop-limit", (12, 0): "bad-header", (12, 1): "bad-header"},
    V6: {(1, 0): "net-unreachable", (1, 1): "filtered", (1, 3): "host-unreachable",
         (1, 4): "refused", (1, 5): "filtered", (2, 0): "too-big", (3, 0): "hop-limit",
         (3, 1): "reassembly-timeout", (4, 0): "bad-header", (4, 2): "bad-header"},
}
PMTU = ["DEFAULT", "DONT", "WANT", "DO", "PROBE", "INTERFACE", "OMIT"]
KERNEL_PMTU = [None, 0, 1, 2, 3, 4, 5]


def rest_of(family, type_, code):
    if (family, type_, code) == (V4, 3, 4):
        return struct.pack("!HH", 0, MTU[V4])
    if (family, type_) == (V4, 12):
        return struct.pack("!BBH", POINTER, 0, 0)
    if (family, type_) == (V4, 5):
        return socket.inet_aton("10.9.0.3")
    if (family, type_) == (V6, 2):
        return struct.pack("!I", MTU[V6])
    return struct.pack("!I", POINTER if family == V6 and type_ == 4 else 0)


def forget(lab, case):
    """What too big and redirect leave in the routing cache."""
    if case in ((3, 4), (2, 0), (5, 0), (5, 1)):
        lab.forget()


def plain(lab, wire_family, sock_family, to, connected, recverr, pmtu=None):
    """A socket of the standard library that has sent one datagram."""
    s = lab.a.socket(sock_family, socket.SOCK_DGRAM)
    s.setblocking(False)
    queue.options(s, recverr, pmtu)
    host = "::ffff:" + to[0] if sock_family != wire_family else to[0]
    if connected:
        s.connect((host, to[1]))
        s.send(SENT)
    else:
        s.sendto(SENT, (host, to[1]))
    return s


def revents(fd):
    p = select.poll()
    p.register(fd, 0)
    return bool(p.poll(0))


def opened(lab, sock_family, to, connected, **conf):
    u = sky.Socket(lab.a, family=sock_family, peer=to if connected else None, **conf)
    return u, u.send(SENT, None if connected else to)


def ours(fates):
    """What the library told, in the form of kernels()."""
    told = []
    for f in fates:
        extra = f.mtu if f.have & sky.MTU else f.pointer if f.have & sky.POINTER else 0
        icmp = (f.icmp_type, f.icmp_code) if f.have & sky.ICMP else None
        told.append(dict(err=name(f.err), origin=f.origin, icmp=icmp, extra=extra,
                         dst=f.dst.plain(), by=f.by.plain()[:2] if f.have & sky.BY else None,
                         quote=f.bytes(), who=f.evidence, proto=f.proto))
    return told


def kernels(s, family):
    return [dict(err=name(e.err), origin=e.origin, icmp=(e.type, e.code), extra=e.info,
                 dst=(family,) + e.dst, by=(family, e.by), quote=e.quote,
                 who=sky.BY_QUEUE, proto=packet.UDP) for e in queue.queue(s)]


def retarget(told, to):
    """The oracle's datagram went to a port of its own."""
    return [dict(t, dst=t["dst"][:2] + (to[1],)) for t in told]


def forged(family, type_, code, to, entry):
    """What must be true of a record whatever the kernel says."""
    extra = 0
    if (family, type_, code) == (V4, 3, 4) or (family, type_) == (V6, 2):
        extra = MTU[family]
    if (family, type_, code) == (V4, 12, 0) or (family, type_) == (V6, 4):
        extra = POINTER
    return (entry["icmp"] == (type_, code) and entry["dst"] == (family,) + to
            and entry["by"] == (family, ROUTER[family]) and entry["quote"] == SENT
            and (extra == 0 or entry["extra"] == extra))


def check_queue(t, lab, family, sock_family, connected, case):
    """One error: the library against the oracle, against what was forged, and
    the table's errno. Returns whether the kernel queued it."""
    type_, code = case
    mine, its = lab.next(family), lab.next(family)
    u, status = opened(lab, sock_family, mine, connected)
    s = plain(lab, family, sock_family, its, connected, True)
    for to in (mine, its):
        lab.forge(family, type_, code, to[1], rest_of(family, type_, code))
    truth = retarget(kernels(s, family), mine)
    first = u.errors()
    words = [f.word() for f in first]
    told = ours(first)
    label = "%s %d/%d to %s %s socket" % (
        "ICMP" if family == V4 else "ICMPv6", type_, code,
        "a connected" if connected else "an unconnected",
        "IPv4" if sock_family == V4 else "IPv6" if family == V6 else "v4-mapped")
    t.ok(status == 0 and told == truth and all(forged(family, type_, code, mine, e) for e in told),
         label + ": " + (truth[0]["err"] if truth else "nothing"),
         "send %s" % status, "told   %s" % told, "kernel %s" % truth)
    row = sky.icmp_find(family, type_, code)
    table = truth[0]["err"] if truth else "-"
    want = WORDS[family].get(case) if truth else None
    t.ok(name(row[1]) == table and (want is None or [want] == words) and len(set(words)) <= 1
         and (not words or words[0] == row[2]), label + ": the table's errno and word",
         "row %s, kernel %s, words %s, want %s" % (row, table, words, want))
    t.ok(u.errors() == [] and not revents(u.fd) and u.info().errors == len(truth),
         label + ": told once, counted once")
    u.close()
    s.close()
    forget(lab, case)


def check_plain(t, lab, family, connected, case):
    """PLAIN is a plain socket; the table's errno for a connected one."""
    type_, code = case
    mine, its = lab.next(family), lab.next(family)
    u, _ = opened(lab, family, mine, connected, flags=sky.PLAIN)
    s = plain(lab, family, family, its, connected, False)
    for to in (mine, its):
        lab.forge(family, type_, code, to[1], rest_of(family, type_, code))
    seen = [revents(s), name(queue.so_error(s.fileno()))]
    got = [revents(u.fd), name(queue.so_error(u.fd))]
    label = "ICMP%s %d/%d, no error queue, %s" % (
        "" if family == V4 else "v6", type_, code, "connected" if connected else "unconnected")
    t.same((got, u.errors()), (seen, []), label + ": as a plain socket, " + seen[1])
    if connected:
        t.same(name(sky.icmp_find(family, type_, code)[0]), seen[1], label + ": the table's errno")
    u.close()
    s.close()
    forget(lab, case)


def check_plain_send(t, lab, family):
    """Without the queue the pending error comes out of the next send, as ever."""
    case = (3, 3) if family == V4 else (1, 4)
    to = lab.next(family)
    u, _ = opened(lab, family, to, True, flags=sky.PLAIN)
    lab.forge(family, *case, to[1], rest_of(family, *case))
    t.same([sky.err(u.send(SENT)), u.send(SENT)], ["ECONNREFUSED", 0],
           "no error queue, family %d: the next send fails once" % family)
    u.close()


def check_pmtu(t, lab, family, sock_family, connected, mode):
    case = (3, 4) if family == V4 else (2, 0)
    mine, its = lab.next(family), lab.next(family)
    u, _ = opened(lab, sock_family, mine, connected, pmtu=mode)
    s = plain(lab, family, sock_family, its, connected, True, KERNEL_PMTU[mode])
    for to in (mine, its):
        lab.forge(family, *case, to[1], rest_of(family, *case))
    truth = retarget(kernels(s, family), mine)
    told = ours(u.errors())
    t.ok(told == truth and all(forged(family, *case, mine, e) for e in told),
         "too big, PMTU %s, %s %s: %s" % (
             PMTU[mode], "connected" if connected else "unconnected",
             "v6" if family == V6 else "v4" if sock_family == V4 else "mapped",
             truth[0]["err"] if truth else "nothing"),
         "told   %s" % told, "kernel %s" % truth)
    u.close()
    s.close()
    lab.forget()


def main():
    netns.isolate()
    t = tap.Tap(100)
    lab = Lab()
    for family, sock_family in ((V4, V4), (V4, V6), (V6, V6)):
        for case in CASES[family]:
            for connected in (False, True):
                check_queue(t, lab, family, sock_family, connected, case)
        for mode in range(len(PMTU)):
            for connected in (False, True):
                check_pmtu(t, lab, family, sock_family, connected, mode)
    for family in (V4, V6):
        for case in CASES[family]:
            for connected in (False, True):
                check_plain(t, lab, family, connected, case)
        check_plain_send(t, lab, family)
    t.done()


if __name__ == "__main__":
    main()
