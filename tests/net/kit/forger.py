# SPDX-License-Identifier: BSD-2-Clause
"""A host `a` whose only link ends at somebody who can say anything about its
datagrams, in the name of a router that does not exist."""
import socket

from . import netns, packet

V4, V6 = socket.AF_INET, socket.AF_INET6
HOME = {V4: "10.9.0.1", V6: "fd09::1"}
FAR = {V4: "10.77.0.5", V6: "fd77::5"}
ROUTER = {V4: "10.66.6.6", V6: "fd66::6"}


class Lab:
    def __init__(self):
        self.a, self.r = netns.Ns(), netns.Ns()
        netns.veth(self.a, "a0", self.r, "r0")
        self.r.ip("addr add 10.9.0.2/24 dev r0", "addr add fd09::2/64 dev r0 nodad",
                  "-6 route add blackhole default")
        self.a.ip("addr add 10.9.0.1/24 dev a0", "addr add fd09::1/64 dev a0 nodad",
                  "route add default via 10.9.0.2", "-6 route add default via fd09::2")
        for there in ("10.9.0.2", "fd09::2"):
            netns.meet(self.a, there, self.r)
        self.wire = packet.Wire(self.r, "r0", self.a.mac("a0"))
        self.fence_in = self.a.socket(V4, socket.SOCK_DGRAM)
        self.fence_in.bind(("10.9.0.1", 0))
        self.port = 20000

    def fence(self):
        """Returns when everything put on the wire before has been taken in."""
        mark = packet.udp("10.9.0.2", 9, "10.9.0.1", self.fence_in.getsockname()[1], b"fence")
        self.wire.put(packet.ip("10.9.0.2", "10.9.0.1", packet.UDP, mark))
        self.fence_in.settimeout(5)
        self.fence_in.recv(100)

    def forget(self):
        self.a.ip("route flush cache", "-6 route flush cache")

    def next(self, family):
        self.port += 1
        return FAR[family], self.port

    def forge(self, family, type_, code, dport, rest, cut=None):
        """Answers the datagram to dport; the datagram."""
        d = self.wire.catch(family, dport)
        quote = d.packet if cut is None else d.packet[:cut]
        self.wire.put(packet.icmp(ROUTER[family], HOME[family], type_, code, rest, quote))
        self.fence()
        return d
