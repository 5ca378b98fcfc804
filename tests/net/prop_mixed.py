#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""64 peers behind a router, one of them dead: every datagram for the 63 others
arrives, and every error names the dead one. The error comes at once (a closed
port) or late, between other datagrams (a host that takes its time)."""
import select
import threading
import time

from kit import netns, packet, sky, tap
from kit.path import B, V4, V6, Path

PEERS, BATCHES = 64, 200
CLOSED = 7  # below the ports that the living are given
LATE = {V4: "10.8.55.1", V6: "fd08:0:55::1"}
DELAY = 0.003
PORT = {V4: (3, 3), V6: (1, 4)}


class Sloth(threading.Thread):
    """A host that answers every datagram with an error, some time later."""

    def __init__(self, path):
        super().__init__()
        self.ns = netns.Ns()
        netns.veth(path.r, "r2", self.ns, "c0")
        self.ns.ip("link set c0 arp off")
        mac = ":".join("%02x" % b for b in self.ns.mac("c0"))
        path.r.ip("route add 10.8.55.0/24 dev r2", "-6 route add fd08:0:55::/48 dev r2",
                  "neigh add %s lladdr %s dev r2 nud permanent" % (LATE[V4], mac),
                  "neigh add %s lladdr %s dev r2 nud permanent" % (LATE[V6], mac))
        self.wire = packet.Wire(self.ns, "c0", path.r.mac("r2"))
        self.over, self.due, self.seen = False, [], 0

    def answer(self, d):
        self.wire.put(packet.icmp(d.dst, d.src, *PORT[d.family], bytes(4), d.packet))

    def run(self):
        end = time.monotonic() + 60
        ins = list(self.wire.ins.values())
        while not self.over and time.monotonic() < end:
            wait = max(0, self.due[0][0] - time.monotonic()) if self.due else 0.1
            for s in select.select(ins, [], [], wait)[0]:
                d = self.wire.read(s)
                if d and d.dst in LATE.values():
                    self.seen += 1
                    self.due.append((time.monotonic() + DELAY, d))
            while self.due and self.due[0][0] <= time.monotonic():
                self.answer(self.due.pop(0)[1])


class Crowd:
    """The living, and what each of them got."""

    def __init__(self, path, family):
        self.socks = [path.server(family) for _ in range(PEERS - 1)]
        self.at = [s.getsockname()[:2] for s in self.socks]
        self.got = [set() for _ in self.socks]
        self.twice = 0

    def drain(self, seconds=0.0):
        for s in select.select(self.socks, [], [], seconds)[0]:
            mine = self.got[self.socks.index(s)]
            try:
                while True:
                    data = s.recv(100)
                    self.twice += data in mine
                    mine.add(data)
            except BlockingIOError:
                pass

    def close(self):
        for s in self.socks:
            s.close()


def errors(u, tally):
    for _ in range(1000):
        got = u.errors()
        for f in got:
            key = (f.dst.plain()[1:], f.by.plain()[1], f.word())
            tally[key] = tally.get(key, 0) + 1
        if not got:
            return


def closed_port(path, family):
    s = path.server(family)
    at = s.getsockname()[:2]
    s.close()
    return at


def run(t, path, family, sock_family, dead, place, late):
    """place: where in the batch the dead one stands."""
    crowd = Crowd(path, family)
    u = sky.Socket(path.a, family=sock_family, room=64)
    tally, bad, before = {}, [], netns.unreachables(path.a)
    peers = crowd.at[:place] + [dead] + crowd.at[place:]
    for k in range(BATCHES):
        data = b"batch %d" % k
        m = sky.batch([(data, p) for p in peers])
        n = u.send_all(m)
        if n != PEERS or any(x.status for x in m):
            bad.append((k, n, [x.status for x in m if x.status]))
        crowd.drain()
        if k % 5 == 4:
            errors(u, tally)
    want = BATCHES * (PEERS - 1)
    count = settle(u, crowd, tally, want)
    came = netns.unreachables(path.a) - before
    report(t, u, crowd, tally, (family, sock_family, dead, place, late),
           (count, want, bad, came))
    u.close()
    crowd.close()


def settle(u, crowd, tally, want):
    end = time.monotonic() + 3
    while time.monotonic() < end:
        crowd.drain(0.01)
        errors(u, tally)
        count = sum(len(g) for g in crowd.got)
        if count == want and sum(tally.values()) + u.info().errors_lost >= BATCHES:
            break
    return count


def report(t, u, crowd, tally, what, result):
    family, sock_family, dead, place, late = what
    count, want, bad, came = result
    i = u.info()
    label = "%s%s, dead peer at %d%s" % (
        "IPv4" if family == V4 else "IPv6", ", IPv6 socket" if family != sock_family else "",
        place, ", its error late" if late else "")
    t.ok(count == want and not crowd.twice and not bad,
         label + ": %d of %d live datagrams arrived" % (count, want), crowd.twice, bad[:3])
    t.ok(set(tally) == {(dead, dead[0], "refused")} and
         sum(tally.values()) + i.errors_lost == came > BATCHES // 2
         and not i.errors_maybe_lost and i.tx == BATCHES * PEERS,
         label + ": %d of %d errors told, all about the dead one" % (
             sum(tally.values()), came), tally,
         "lost %d maybe %d tx %d" % (i.errors_lost, i.errors_maybe_lost, i.tx))


def main():
    netns.isolate()
    t = tap.Tap(90)
    path = Path(1500)
    sloth = Sloth(path)
    netns.meet(path.a, B[V4], path.b)
    sloth.start()
    try:
        for family, sock_family in ((V4, V4), (V4, V6), (V6, V6)):
            for place in (0, PEERS // 2, PEERS - 1):
                run(t, path, family, sock_family, (B[family], CLOSED), place, False)
                run(t, path, family, sock_family, (LATE[family], 9), place, True)
    finally:
        sloth.over = True
        sloth.join()
    t.done()


if __name__ == "__main__":
    main()
