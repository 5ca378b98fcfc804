# SPDX-License-Identifier: BSD-2-Clause
"""A row of kernel routers between here and a namespace that is a whole network of
hosts: every address of HOSTS is one of its own, and fd20::1 and fd20::100 to
fd20::13f are (a kernel answers for others in the name of one)."""
import ipaddress

from . import netns

HOSTS, HOSTS6 = "10.200.0.0/16", "fd20::/64"


class Chain:
    """here - r1 ... rn - hosts. limited: routers answer as Linux does by default;
    the hosts never do, because they stand for many machines. mtu: {i: bytes} of
    the link that r_i sends on (r_0 is here)."""

    def __init__(self, n, limited=False, mtu=None):
        self.here = netns.Ns()
        self.routers = [netns.Ns() for _ in range(n)]
        self.hosts = netns.Ns()
        row = [self.here] + self.routers + [self.hosts]
        for i in range(n + 1):
            self.join(row[i], row[i + 1], i, (mtu or {}).get(i, 1500))
        for i, ns in enumerate(row):
            self.routes(ns, i, n + 1)
        for r in self.routers:
            r.sysctl("net.ipv4.ip_forward", 1)
            r.sysctl("net.ipv6.conf.all.forwarding", 1)
            r.sysctl("net.ipv4.icmp_errors_use_inbound_ifaddr", 1)
            if not limited:
                netns.unlimited(r)
        netns.unlimited(self.hosts)
        self.hosts.ip("route add local %s dev lo" % HOSTS, "-6 route add local %s dev lo" % HOSTS6,
                      *["addr add fd20::%x/128 dev lo nodad" % n for n in [1, *range(256, 320)]])
        netns.meet(self.here, "10.200.0.1", self.hosts)
        netns.meet(self.here, "fd20::1", self.hosts)

    def join(self, a, b, i, mtu):
        netns.veth(a, "right", b, "left")
        a.ip("link set right mtu %d" % mtu, "addr add 10.90.%d.1/24 dev right" % i,
             "addr add fd90:%x::1/64 dev right nodad" % i)
        b.ip("link set left mtu %d" % mtu, "addr add 10.90.%d.2/24 dev left" % i,
             "addr add fd90:%x::2/64 dev left nodad" % i)

    def routes(self, ns, i, last):
        if i < last:
            ns.ip("route add %s via 10.90.%d.2" % (HOSTS, i),
                  "-6 route add %s via fd90:%x::2" % (HOSTS6, i))
        if i > 1:
            ns.ip("route add 10.90.0.0/24 via 10.90.%d.1" % (i - 1),
                  "-6 route add fd90:0::/64 via fd90:%x::1" % (i - 1))

    @staticmethod
    def hop(i, v6=False):
        """Address under which router i is seen."""
        text = ("fd90:%x::2" if v6 else "10.90.%d.2") % (i - 1)
        return str(ipaddress.ip_address(text))

