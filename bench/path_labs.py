# SPDX-License-Identifier: BSD-2-Clause
"""The networks of bench/path.py, as lab files, and what is true of each.

A chain s - r1 ... rN - d. The routers are kernels that forward, with the limits of
their ICMP errors as Linux has them by default: that is what the figures are about.
Between s and r1 is a router of ours that only holds every packet for 10 ms each way
(and loses some, where asked); it hides, and its ledger counts what passed. A
kernel cannot tell a wrong MTU, so the router that does is one of ours as well, with
the same limits (answer kernel).

d answers echo requests and has a UDP echo service on port 7, by which the round trip
is measured before a program starts and all neighbours become known.
"""

DELAY = "10ms"
LIMITS = ("net.ipv4.icmp_ratelimit=1000 net.ipv4.icmp_ratemask=6168 "
          "net.ipv4.icmp_msgs_per_sec=1000 net.ipv6.icmp.ratelimit=100")
NO_PTB = {4: "icmp type destination-unreachable icmp code frag-needed drop",
          6: "icmpv6 type packet-too-big drop"}
NO_ERRORS = {4: "icmp type time-exceeded drop", 6: "icmpv6 type time-exceeded drop"}


class Lab:
    """text: the lab up to its steps. truth: hops (addresses, None where nobody
    answers), mtu, after (the hop before the narrow link), hole, ..."""

    def __init__(self, text, dst, **truth):
        self.text, self.dst = text, dst
        self.truth = truth


class Chain:
    """n routers; mtu {link: bytes}, link i being that behind router i."""

    def __init__(self, n, family=4, mtu=(), ours=(), more=(), line=(), mru=(), first=""):
        self.n, self.family, self.first = n, family, first
        six = family == 6
        self.s_line = ("fd00::1", "fd00::2") if six else ("10.0.0.1", "10.0.0.2")
        self.line_r1 = ("fd00:1::2", "fd00:1::1") if six else ("10.0.1.2", "10.0.1.1")
        self.mtu, self.mru = dict(mtu), dict(mru)
        self.ours, self.more, self.line = ours, more, line

    def pair(self, link):
        """Addresses of the two ends of a link."""
        if self.family == 4:
            return f"10.1.{link}.1", f"10.1.{link}.2"
        return f"fd01:{link:x}::1", f"fd01:{link:x}::2"

    def hop(self, i):
        """The address by which router i (or, n + 1, d) is seen from s."""
        return self.line_r1[1] if i == 1 else self.pair(i - 1)[1]

    def name(self, i):
        return "d" if i > self.n else "r%d" % i

    def links(self):
        bits = 24 if self.family == 4 else 64

        def one(a, b, ends, mtu=""):
            return f"link {a} {b} {ends[0]}/{bits} {ends[1]}/{bits}{mtu}"
        yield one("s", "line", self.s_line, self.first)
        yield one("line", "r1", self.line_r1)
        for i in range(1, self.n + 1):
            mtu = f" mtu {self.mtu[i]}" if i in self.mtu else ""
            mtu = f" mtu 1500 {self.mru[i]}" if i in self.mru else mtu
            yield one(self.name(i), self.name(i + 1), self.pair(i), mtu)

    def routes(self):
        home = "10.0.0.0/24" if self.family == 4 else "fd00::/64"
        yield f"route s default via {self.s_line[1]}"
        yield f"route line default via {self.line_r1[1]}"
        for i in range(1, self.n + 1):
            if i < self.n:
                yield f"route r{i} default via {self.pair(i)[1]}"
            back = self.line_r1[0] if i == 1 else self.pair(i - 1)[0]
            yield f"route r{i} {home} via {back}"
        yield f"route d default via {self.pair(self.n)[0]}"

    def text(self):
        kernels = [f"r{i}" for i in range(1, self.n + 1) if i not in self.ours]
        ours = [f"r{i}" for i in self.ours]
        out = ['lab "bench"', "host s d " + " ".join(kernels), "router line " + " ".join(ours)]
        out += self.links()
        out += ["forward " + " ".join(kernels), "router line hide",
                f"router line toward s delay {DELAY}", f"router line toward r1 delay {DELAY}"]
        out += self.line
        out += [f"router {r} answer kernel" for r in ours]
        out += self.routes()
        out += ["sysctl all " + LIMITS]
        out += self.more
        out += ["server d ready udp 7 socknet serve echo 7"]
        return "\n".join(out) + "\n"

    def lab(self, silent=(), **truth):
        hops = [None if i in silent else self.hop(i) for i in range(1, self.n + 2)]
        return Lab(self.text(), self.hop(self.n + 1), hops=hops, n=self.n, **truth)


def quiet(router, family, what):
    return f"filter {router} output {what[family]}"


def deaf(n, *rules):
    c = Chain(n, mtu={3: 1400}, more=[f"filter d input {rule}" for rule in rules])
    return c.lab(silent=(n + 1,), mtu=1400, after=3, bounded=True)


def black_hole(family):
    c = Chain(8, family, mtu={3: 1450, 5: 1400}, more=[quiet("r5", family, NO_PTB)])
    return c.lab(mtu=1400, after=5, hole=True)


def told_wrong(way, judged):
    c = Chain(8, mtu={5: 1006}, ours=(5,), more=[f"router r5 toward r6 too-big {way}"])
    return c.lab(mtu=1006, after=5, judged=judged)


def silent(which, link):
    c = Chain(8, mtu={link: 1400}, more=[quiet("r%d" % i, 4, NO_ERRORS) for i in which])
    return c.lab(silent=which, mtu=1400, after=link)


def lossy(seed):
    c = Chain(8, mtu={3: 1400, 5: 1006}, line=[
        "router line toward s loss 5%", "router line toward r1 loss 5%",
        f"router line seed {seed}"])
    return c.lab(mtu=1006, after=5)


def narrow_back(family, mtu, ping=True):
    """1500 out, less back: the line sends no packet of more than mtu to s. Ping sockets
    are for everybody, as distributions have it, or for nobody, as the kernel has it."""
    c = Chain(8, family, first=f" mtu 1500 {mtu}", more=[
        'sysctl s "net.ipv4.ping_group_range=0 2147483647"'] if ping else [])
    return c.lab(mtu=1500, after=0, back=mtu)


def diamond(narrow=None):
    """s - line - r1, then a1 - a2 or b1 - b2, then r4 - d; r1 chooses by flow."""
    mtu = f" mtu {narrow}" if narrow else ""
    text = f"""lab "bench"
host s d a1 a2 b1 b2 r4
router line r1
link s line 10.0.0.1/24 10.0.0.2/24
link line r1 10.0.1.2/24 10.0.1.1/24
link r1 a1 10.1.1.1/24 10.1.1.2/24
link r1 b1 10.1.2.1/24 10.1.2.2/24
link a1 a2 10.1.3.1/24 10.1.3.2/24{mtu}
link b1 b2 10.1.4.1/24 10.1.4.2/24
link a2 r4 10.1.5.1/24 10.1.5.2/24
link b2 r4 10.1.6.1/24 10.1.6.2/24
link r4 d 10.1.7.1/24 10.1.7.2/24
forward a1 a2 b1 b2 r4
router line hide
router line toward s delay {DELAY}
router line toward r1 delay {DELAY}
router r1 answer kernel balance flow
route s default via 10.0.0.2
route line default via 10.0.1.1
route r1 10.1.7.0/24 via 10.1.1.2 via 10.1.2.2
route r1 default via 10.0.1.2
route a1 10.1.7.0/24 via 10.1.3.2
route a1 default via 10.1.1.1
route b1 10.1.7.0/24 via 10.1.4.2
route b1 default via 10.1.2.1
route a2 10.1.7.0/24 via 10.1.5.2
route a2 default via 10.1.3.1
route b2 10.1.7.0/24 via 10.1.6.2
route b2 default via 10.1.4.1
route r4 default via 10.1.5.1
route d default via 10.1.7.1
sysctl all {LIMITS}
server d ready udp 7 socknet serve echo 7
"""
    r4 = {"10.1.5.2", "10.1.6.2"}
    hops = [{"10.0.1.1"}, {"10.1.1.2", "10.1.2.2"}, {"10.1.3.2", "10.1.4.2"}, r4, {"10.1.7.2"}]
    links = {("10.0.1.1", "10.1.1.2"), ("10.0.1.1", "10.1.2.2"), ("10.1.1.2", "10.1.3.2"),
             ("10.1.2.2", "10.1.4.2")}
    links |= {(a, b) for a in hops[2] for b in r4} | {(a, "10.1.7.2") for a in r4}
    return Lab(text, "10.1.7.2", hops=hops, n=4, links=links, mtu=narrow or 1500,
               mtus=sorted({narrow or 1500, 1500}))


STEPS = {3: 1400, 5: 1006, 7: 296}
LABS = {
    "A0": lambda: Chain(8).lab(mtu=1500, after=0),
    "A": lambda: Chain(8, mtu=STEPS).lab(mtu=296, after=7),
    "A30": lambda: Chain(30, mtu={10: 1400, 20: 1006}).lab(mtu=1006, after=20),
    "B": lambda: black_hole(4),
    "GB": lambda: black_hole(6),
    # an interface takes 4 bytes more than its MTU: the room of a VLAN tag
    "MRU": lambda: Chain(8, mru={5: 1400}).lab(mtu=1404, after=5, hole=True),
    "C": lambda: silent((4,), 6),
    "C3": lambda: silent((3, 4, 5), 7),
    "D": lambda: deaf(8, "udp dport != 7 drop"),
    "D2": lambda: deaf(8, "udp dport != 7 drop", "meta l4proto != udp drop"),
    "E": lambda: told_wrong("old", "zero"),
    "E2": lambda: told_wrong("lie 1500", "too-large"),
    "G": lambda: Chain(8, 6, mtu={3: 1400, 5: 1280}).lab(mtu=1280, after=5),
    "poisoned": lambda: Chain(8, mtu=STEPS).lab(mtu=296, after=7, poison=True),
}
