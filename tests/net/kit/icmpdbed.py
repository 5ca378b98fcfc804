# SPDX-License-Identifier: BSD-2-Clause
"""A host with icmpd on it, and a wire on which anybody can say anything.

A fence is an error about a socket that only the bed knows: when it was told, all
that was put on the wire before has been dealt with."""
import os
import socket

from . import icmpd, netns, packet
from .forger import FAR, HOME, ROUTER, V4, V6, Lab

PORT_UNREACHABLE = {V4: (3, 3), V6: (1, 4)}


def begin():
    """Real root stays what it is, for the tests with several users."""
    if os.geteuid():
        netns.isolate()
    else:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def quote(family, sport, dport=9, payload=b"12345678", src=None, dst=None, proto=packet.UDP):
    src, dst = src or HOME[family], dst or FAR[family]
    return packet.ip(src, dst, proto, packet.udp(src, sport, dst, dport, payload))


class Bed:
    def __init__(self, *args, **how):
        self.lab = Lab()
        self.d = icmpd.Daemon(self.lab.a, *args, **how)
        self.begin_fence()

    def begin_fence(self):
        self.fence_sock = self.socket(V4)
        self.fence_client = self.d.client()
        verdict = self.fence_client.register(self.fence_sock)
        if verdict:
            raise RuntimeError("the fence is not taken: %s\n%s" % (verdict, self.d.said()))

    def socket(self, family, kind=socket.SOCK_DGRAM, host=None, port=0, proto=0):
        s = self.lab.a.socket(family, kind, proto)
        s.bind((HOME[family] if host is None else host, port))
        return s

    def socket_of(self, uid):
        """Not bound, and a user's."""
        with self.lab.a:
            return icmpd.as_user(uid, lambda: socket.socket(V4, socket.SOCK_DGRAM))

    def put(self, family, type_, code, quoted, rest=bytes(4), by=None, to=None):
        self.lab.wire.put(packet.icmp(by or ROUTER[family], to or HOME[family], type_, code, rest,
                                      quoted))

    def error(self, s, family=None, kind=None, rest=bytes(4), **how):
        """A true error about a socket, port unreachable unless kind says (type, code)."""
        family = family or s.family
        self.put(family, *(kind or PORT_UNREACHABLE[family]),
                 quote(family, s.getsockname()[1], **how), rest)

    def fence(self):
        c = self.fence_client
        before = len(c.fates)
        self.error(self.fence_sock)
        return c.until(lambda: len(c.fates) > before)

    def after(self, c, how):
        """What client c is told of what how() puts on the wire."""
        before = len(c.fates)
        how()
        if not self.fence():
            raise RuntimeError("no fence: " + self.d.said())
        # The fence's client is told in its own time: an answer is behind what was queued.
        c.ask()
        return c.fates[before:]

    def stop(self):
        return self.d.stop()
