#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Errors that real hosts and routers make: who said what about which datagram.

Each is met twice in the same run: by a socket of the library and by one of the
standard library with the kernel's queue on, which must agree.
"""
import errno
import select
import socket
import time

from kit import netns, queue, sky, tap
from kit.path import A, B, R, V4, V6, Path

NAMES = {V4: "IPv4", V6: "IPv6"}
CLOSED, DROPPED, REJECTED, ANSWERING = 6001, 6002, 6003, 6004

# name, destination, port, bytes, ttl, (word, type, code, who, errno), mtu
NOW = {
    V4: [("closed port", B[V4], CLOSED, 64, 0, ("refused", 3, 3, B[V4], "ECONNREFUSED"), 0),
         ("router's closed port", R[V4], CLOSED, 64, 0,
          ("refused", 3, 3, R[V4], "ECONNREFUSED"), 0),
         ("TTL 1", B[V4], CLOSED, 64, 1, ("hop-limit", 11, 0, R[V4], "EHOSTUNREACH"), 0),
         ("narrow link", B[V4], CLOSED, 1400, 0, ("too-big", 3, 4, R[V4], "EMSGSIZE"), 1300),
         ("no route on the router", "10.55.0.1", 9, 64, 0,
          ("net-unreachable", 3, 0, R[V4], "ENETUNREACH"), 0)],
    V6: [("closed port", B[V6], CLOSED, 64, 0, ("refused", 1, 4, B[V6], "ECONNREFUSED"), 0),
         ("router's closed port", R[V6], CLOSED, 64, 0,
          ("refused", 1, 4, R[V6], "ECONNREFUSED"), 0),
         ("hop limit 1", B[V6], CLOSED, 64, 1, ("hop-limit", 3, 0, R[V6], "EHOSTUNREACH"), 0),
         ("narrow link", B[V6], CLOSED, 1400, 0, ("too-big", 2, 0, R[V6], "EMSGSIZE"), 1300),
         ("no route on the router", "fd55::1", 9, 64, 0,
          ("net-unreachable", 1, 0, R[V6], "ENETUNREACH"), 0)],
}
REJECTS = {
    V4: [("net-unreachable", "net-unreachable", 3, 0, "ENETUNREACH"),
         ("host-unreachable", "host-unreachable", 3, 1, "EHOSTUNREACH"),
         ("prot-unreachable", "no-protocol", 3, 2, "ENOPROTOOPT"),
         ("port-unreachable", "refused", 3, 3, "ECONNREFUSED"),
         ("net-prohibited", "filtered", 3, 9, "ENETUNREACH"),
         ("host-prohibited", "filtered", 3, 10, "EHOSTUNREACH"),
         ("admin-prohibited", "filtered", 3, 13, "EHOSTUNREACH")],
    V6: [("no-route", "net-unreachable", 1, 0, "ENETUNREACH"),
         ("admin-prohibited", "filtered", 1, 1, "EACCES"),
         ("addr-unreachable", "host-unreachable", 1, 3, "EHOSTUNREACH"),
         ("port-unreachable", "refused", 1, 4, "ECONNREFUSED"),
         ("policy-fail", "filtered", 1, 5, "EACCES"),
         ("reject-route", None, 1, 6, "EACCES")],
}
DEAD = {
    V4: [("dead neighbour of the router", "10.8.0.77", ("host-unreachable", 3, 1, R[V4])),
         ("dead neighbour of ours", "10.9.0.77", ("no-neighbour", 3, 1, A[V4]))],
    V6: [("dead neighbour of the router", "fd08::77", ("host-unreachable", 1, 3, R[V6])),
         ("dead neighbour of ours", "fd09::77", ("no-neighbour", 1, 3, A[V6]))],
}
LOCAL = {
    V4: [("prohibit", "10.44.1.1", "EACCES", "denied"),
         ("unreachable", "10.44.2.1", "EHOSTUNREACH", None),
         ("blackhole", "10.44.3.1", "EINVAL", None),
         ("no route", "10.33.0.1", "ENETUNREACH", "no-route")],
    V6: [("prohibit", "fd44:1::1", "EACCES", "denied"),
         ("unreachable", "fd44:2::1", "EHOSTUNREACH", None),
         ("blackhole", "fd44:3::1", "EINVAL", None),
         ("no route", "fd33::1", "ENETUNREACH", "no-route")],
}
FORMS = [(V4, V4), (V4, V6), (V6, V6)]


def form_name(family, sock_family, connected=False):
    return "%s%s%s" % (NAMES[family], " by an IPv6 socket" if family != sock_family else "",
                       ", connected" if connected else "")


def rules(path):
    """The router rejects by port; we drop and reject on the way out."""
    for tool, family in (("ip", V4), ("ip6", V6)):
        kind = "icmp" if family == V4 else "icmpv6"
        lines = "\n".join("udp dport %d reject with %s type %s" % (7000 + i, kind, row[0])
                          for i, row in enumerate(REJECTS[family]))
        path.r.nft("table %s t {\nchain c {\ntype filter hook forward priority 0;\n%s\n}\n}\n"
                   % (tool, lines))
        path.a.nft("table %s t {\nchain c {\ntype filter hook output priority 0;\n"
                   "udp dport %d drop\nudp dport %d reject\n}\n}\n" % (tool, DROPPED, REJECTED))
    path.a.ip("route add prohibit 10.44.1.0/24", "route add unreachable 10.44.2.0/24",
              "route add blackhole 10.44.3.0/24", "-6 route add prohibit fd44:1::/32",
              "-6 route add unreachable fd44:2::/32", "-6 route add blackhole fd44:3::/32")


def wait_error(fd, seconds):
    p = select.poll()
    p.register(fd, 0)
    return bool(p.poll(int(seconds * 1000)))


class Pair:
    """The library's socket and the oracle, about to send the same thing."""

    def __init__(self, path, family, sock_family, to, connected=False, ttl=0):
        self.path, self.to, self.family = path, to, family
        self.u = sky.Socket(path.a, family=sock_family, peer=to if connected else None,
                            pmtu=4, ttl=ttl)
        self.s = path.a.socket(sock_family, socket.SOCK_DGRAM)
        self.s.setblocking(False)
        queue.options(self.s, True, 3)
        if ttl:
            self.s.setsockopt(0, socket.IP_TTL, ttl)
        if ttl and sock_family == V6:
            self.s.setsockopt(41, socket.IPV6_UNICAST_HOPS, ttl)
        self.far = (("::ffff:" if family != sock_family else "") + to[0], to[1])
        self.connected = connected
        if connected:
            self.s.connect(self.far)

    def send(self, data):
        """(status of ours, errno of the plain one), as names."""
        mine = self.u.send(data, None if self.connected else self.to)
        try:
            self.s.send(data) if self.connected else self.s.sendto(data, self.far)
            its = 0
        except OSError as e:
            its = errno.errorcode[e.errno]
        return sky.err(mine), its

    def told(self, seconds):
        """(ours, the oracle's), each a list of comparable records."""
        mine = its = []
        if wait_error(self.u.fd, seconds):
            with self.path.a:  # where "is this address ours?" is asked
                told = self.u.errors()
            mine = [(f.word(), f.icmp_type, f.icmp_code, f.by.plain()[1], queue.name(f.err),
                     f.dst.plain(), f.mtu if f.have & sky.MTU else 0, f.bytes())
                    for f in told]
        if wait_error(self.s, seconds):
            its = [(e.type, e.code, e.by, queue.name(e.err), (self.family,) + e.dst, e.info,
                    e.quote) for e in queue.queue(self.s)]
        return mine, its

    def close(self):
        self.u.close()
        self.s.close()


def agree(t, label, mine, its, want, dst, mtu=0):
    """want: word (None: not judged), type, code, who, errno."""
    good = len(mine) == 1 and [m[1:] for m in mine] == its and mine[0][1:5] == want[1:]
    good = good and want[0] in (None, mine[0][0]) and mine[0][5] == dst and mine[0][6] == mtu
    t.ok(good, label, "told   %s" % mine, "kernel %s" % its, "want   %s" % (want,))


def check_now(t, path, family, sock_family, connected):
    for name, host, port, size, ttl, want, mtu in NOW[family]:
        if connected and want[0] == "net-unreachable":
            continue  # the router has five of these for each peer, then one a second
        pair = Pair(path, family, sock_family, (host, port), connected, ttl)
        sent = pair.send(bytes(size))
        mine, its = pair.told(3)
        # The router's quote may be cut; both were cut alike.
        agree(t, "%s, %s" % (name, form_name(family, sock_family, connected)), mine, its,
              want, (family, host, port), mtu)
        t.same(sent, (0, 0), "%s: the send succeeded" % name)
        pair.close()
        path.a.ip("route flush cache", "-6 route flush cache")


def check_rejects(t, path, family, sock_family):
    for i, (kind, word, type_, code, err) in enumerate(REJECTS[family]):
        pair = Pair(path, family, sock_family, (B[family], 7000 + i))
        pair.send(b"let me through")
        agree(t, "a firewall says %s, %s" % (kind, form_name(family, sock_family)), *pair.told(3),
              (word, type_, code, R[family], err), (family, B[family], 7000 + i))
        pair.close()


def check_local(t, path, family, sock_family):
    """What this host refuses comes back from the send, once, and costs nobody
    else's datagram."""
    server = path.server(family)
    for name, host, err, word in LOCAL[family]:
        pair = Pair(path, family, sock_family, (host, 9))
        got = pair.send(b"x")
        label = "route %s, %s" % (name, form_name(family, sock_family))
        t.same(got, (err, err), label + ": " + err)
        t.ok(pair.u.info().retries < 10, label + ": without asking for ever")
        if word:
            told = sky.lib.sky_fate_word(sky.lib.sky_fate_from_errno(getattr(errno, err)))
            t.same(told.decode(), word, label + ": the word")
        good = pair.u.send(b"after " + name.encode(), server.getsockname()[:2])
        t.ok(good == 0 and arrives(server) == b"after " + name.encode() and not pair.u.errors(),
             label + ": told once, the next datagram arrives")
        pair.close()
    server.close()


def arrives(server, seconds=3):
    return server.recv(65535) if select.select([server], [], [], seconds)[0] else None


def check_output(t, path, family, sock_family):
    label = form_name(family, sock_family)
    server = path.server(family)
    pair = Pair(path, family, sock_family, (B[family], DROPPED))
    t.same(pair.send(b"x"), ("EPERM", "EPERM"), "dropped by our own filter: EPERM, " + label)
    t.same((pair.u.info().eperm, pair.u.errors()), (1, []), "... counted, not told twice")
    word = sky.lib.sky_fate_word(sky.lib.sky_fate_from_errno(errno.EPERM)).decode()
    t.same(word, "filtered-local", "... its word")
    pair.close()
    pair = Pair(path, family, sock_family, (B[family], REJECTED))
    got = pair.send(b"x")
    mine, its = pair.told(1)
    t.ok(got[0] == got[1] == "EPERM" and [m[1:] for m in mine] == its,
         "rejected by our own filter: EPERM and what the kernel queued, " + label, got, mine, its)
    good = pair.u.send(b"fine", server.getsockname()[:2])
    t.ok(good == 0 and arrives(server) == b"fine", "... the next datagram arrives")
    pair.close()
    server.close()


def check_broadcast(t, path):
    pair = Pair(path, V4, V4, ("10.9.0.255", 9))
    t.same(pair.send(b"x"), ("EACCES", "EACCES"), "broadcast without the option: EACCES")
    t.same((pair.u.set(sky.SET_BROADCAST, 1), pair.u.send(b"x", ("10.9.0.255", 9))), (0, 0),
           "broadcast with the option: sent")
    pair.close()


def check_too_big_here(t, path, family, sock_family):
    """Larger than our own link: one status with the MTU, nothing told twice."""
    pair = Pair(path, family, sock_family, (B[family], CLOSED))
    status = pair.u.send(bytes(2000), (B[family], CLOSED))
    m = pair.u.last
    t.ok(sky.err(status) == "EMSGSIZE" and m.have & sky.M_MTU and m.mtu == 1500
         and pair.u.errors() == [] and not wait_error(pair.u.fd, 0),
         "larger than our own link, %s: EMSGSIZE, MTU 1500, told once"
         % form_name(family, sock_family), sky.err(status), m.have, m.mtu)
    pair.close()


def start_dead(path):
    """Sent first of all: the verdict takes three seconds."""
    pairs = []
    for family, sock_family in FORMS:
        for name, host, want in DEAD[family]:
            pair = Pair(path, family, sock_family, (host, 9))
            pair.label = "%s, %s" % (name, form_name(family, sock_family))
            pair.want, pair.sent = want + ("EHOSTUNREACH",), pair.send(b"anybody there?")
            pairs.append(pair)
    return pairs, time.monotonic()


def end_dead(t, pairs, start):
    for pair in pairs:
        agree(t, pair.label, *pair.told(max(0.1, start + 8 - time.monotonic())), pair.want,
              (pair.family,) + pair.to)
        pair.close()


def main():
    netns.isolate()
    t = tap.Tap(60)
    path = Path()
    rules(path)
    pairs, start = start_dead(path)
    for family, sock_family in FORMS:
        for connected in (False, True):
            check_now(t, path, family, sock_family, connected)
        check_rejects(t, path, family, sock_family)
        check_local(t, path, family, sock_family)
        check_output(t, path, family, sock_family)
        check_too_big_here(t, path, family, sock_family)
    check_broadcast(t, path)
    end_dead(t, pairs, start)
    t.done()


if __name__ == "__main__":
    main()
