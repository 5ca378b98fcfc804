# SPDX-License-Identifier: BSD-2-Clause
"""A path: host a, router r (next link 1300 bytes wide), host b."""
import socket

from . import netns

V4, V6 = socket.AF_INET, socket.AF_INET6
A = {V4: "10.9.0.1", V6: "fd09::1"}
R = {V4: "10.9.0.2", V6: "fd09::2"}
B = {V4: "10.8.0.2", V6: "fd08::2"}


class Path:
    def __init__(self, mtu=1300):
        self.a, self.r, self.b = (netns.Ns() for _ in range(3))
        netns.veth(self.a, "a0", self.r, "r0")
        netns.veth(self.r, "r1", self.b, "b0")
        netns.forwards(self.r)
        for n in (self.a, self.b):
            netns.unlimited(n)
        self.r.ip("addr add 10.9.0.2/24 dev r0", "addr add fd09::2/64 dev r0 nodad",
                  "addr add 10.8.0.1/24 dev r1", "addr add fd08::1/64 dev r1 nodad",
                  "link set r1 mtu %d" % mtu)
        self.b.ip("addr add 10.8.0.2/24 dev b0", "addr add fd08::2/64 dev b0 nodad",
                  "link set b0 mtu %d" % mtu,
                  "route add default via 10.8.0.1", "-6 route add default via fd08::1")
        # No default route here: what is not named has none.
        self.a.ip("addr add 10.9.0.1/24 dev a0", "addr add fd09::1/64 dev a0 nodad",
                  "route add 10.8.0.0/16 via 10.9.0.2", "route add 10.55.0.0/16 via 10.9.0.2",
                  "-6 route add fd08::/32 via fd09::2", "-6 route add fd55::/32 via fd09::2")
        for there in B.values():
            netns.meet(self.a, there, self.b)

    def server(self, family, port=0):
        s = self.b.socket(family, socket.SOCK_DGRAM)
        s.setblocking(False)
        s.bind((B[family], port))
        return s
