# SPDX-License-Identifier: BSD-2-Clause
"""Where probes go and what they look like on the wire."""
import struct

from pathbed import DST4, DST6, path, row
from tap import ok

UDP, TCP, ICMP = 17, 6, 1


@row("ipv4", "ipv6")
def family():
    four, six = path("-4"), path("-6", to=DST6)
    ok(four.status == 0 and {p.family for p in four.probes} == {4}, "-4: IPv4 leaves", four.all)
    ok(six.status == 0 and {p.family for p in six.probes} == {6}, "-6: IPv6 leaves", six.all)
    wrong = path("-6")
    ok(wrong.status == 2 and not wrong.sent and DST4 in wrong.err,
       "-6 and an IPv4 address: refused, nothing leaves", wrong.all)
    names = path("-4", to="localhost").out, path("-6", to="ip6-localhost")
    ok("(127.0.0.1)" in names[0] and ("(::1)" in names[1].out or names[1].status == 2),
       "names: as -4 and -6 say", f"{names[0]} {names[1].all}")


@row("port")
def port():
    r = path("-p", 40000)
    ok(r.status == 0 and {p.dport for p in r.probes} == {40000}, "-p: to that port", r.all)
    r = path("-p", "discard")
    ok(r.status == 0 and {p.dport for p in r.probes} == {9}, "-p: a service by name", r.all)
    r = path()
    ok({p.dport for p in r.probes} == {33434} and len({p.sport for p in r.probes}) == 1,
       "without: port 33434, one flow", r.all)


@row("broadcast")
def broadcast():
    r = path(to="192.0.2.255")
    ok(r.status == 2 and not r.sent and "192.0.2.255" in r.err,
       "a broadcast address: refused, nothing leaves", r.all)
    r = path("--broadcast", "-m", 2, "-w", "0.1", to="224.0.0.77")
    ok(r.probes and {p.dst for p in r.probes} == {"224.0.0.77"},
       "--broadcast: a group is asked", r.all)
    r = path(to="224.0.0.77")
    ok(r.status == 2 and not r.sent, "without: it is not", r.all)


@row("udp")
def udp():
    r = path("-U")
    ok(r.status == 0 and {(p.proto, p.dport) for p in r.probes} == {(UDP, 53)},
       "-U: UDP, port 53", r.all)


@row("icmp")
def icmp():
    r = path("-I")
    ok(r.status == 0 and {(p.proto, p.icmp_type) for p in r.probes} == {(ICMP, 8)},
       "-I: echo requests", r.all)
    r = path("-I", to=DST6)
    ok(r.status == 0 and {(p.proto, p.icmp_type) for p in r.probes} == {(58, 128)},
       "-I: of ICMPv6 too", r.all)


@row("tcp")
def tcp():
    r = path("-T")
    ok(r.status == 0 and r.probes and all(p.proto == TCP and p.dport == 80 and
       p.body[13] & 0x3f == 2 for p in r.probes), "-T: nothing but SYN, to port 80", r.all)
    ok("MTU" in r.out, "and the output says what that cannot find", r.all)


@row("raw")
def raw():
    r = path("--raw", "--json", dnat="10.9.9.9")
    ok(r.status == 0 and any(h.get("rewritten") for h in r.of("hop")),
       "--raw: a translator shows in the quoted headers", r.all)
    r = path("--raw", "--json")
    ok(r.status == 0 and not any(h.get("rewritten") for h in r.of("hop")),
       "--raw: none, none", r.all)


@row("source")
def source():
    r = path("-s", "192.0.2.9")
    ok(r.status == 0 and {p.src for p in r.probes} == {"192.0.2.9"}, "-s: from there", r.all)
    r = path("-s", "192.0.2.8")
    ok(r.status == 2 and not r.sent and "192.0.2.8" in r.err,
       "-s: not ours: refused", r.all)


@row("sport")
def sport():
    r = path("--sport", 45678)
    ok(r.status == 0 and {p.sport for p in r.probes} == {45678}, "--sport: from there", r.all)


@row("interface")
def interface():
    there, not_here = path("-i", "w0", side="w"), path("-i", "w0", "-w", "0.05", "-m", 2)
    ok(there.status == 0 and {p.src for p in there.probes} == {"203.0.113.1"},
       "-i: by that interface, from its address", there.all)
    ok(not not_here.sent, "-i: and not by the other", not_here.all)
    r = path("-i", "none0")
    ok(r.status == 2 and not r.sent and "none0" in r.err, "-i: none such: refused", r.all)


@row("gateway")
def gateway():
    r = path("-g", "198.51.100.50")
    options = {p.options[:7] for p in r.probes}
    last = bytes([198, 51, 100, 7])
    ok(r.probes and all(p.dst == "198.51.100.50" and 131 in p.options and last in p.options
       for p in r.probes), "-g: a loose source route, to the router first", f"{options} {r.all}")


@row("gateway")
def gateways():
    r = path("-g", "198.51.100.50,198.51.100.51")
    two = path("-g", "198.51.100.50", "-g", "198.51.100.51")
    want = bytes([198, 51, 100, 51, 198, 51, 100, 7])
    ok(r.probes and two.probes and all(want in p.options and p.dst == "198.51.100.50"
       for p in r.probes + two.probes), "-g: several, by commas or one by one", r.all + two.all)
    r = path("-g", "198.51.100.50,")
    ok(r.status == 2 and not r.sent and "198.51.100.50," in r.err, "-g: an empty one", r.all)
    r = path("-g", ",".join(f"198.51.100.{i}" for i in range(9)))
    ok(r.status == 2 and not r.sent and "8" in r.err, "-g: nine are one too many", r.all)


@row("direct")
def direct():
    near, far = path("-r", to="192.0.2.77", hops=0), path("-r")
    ok(near.status == 0 and near.probes, "-r: a host on the link is reached", near.all)
    ok(far.status != 0 and not far.sent, "-r: what is behind a router is not", far.all)


@row("tos")
def tos():
    r, six = path("-t", 72), path("-t", 72, to=DST6)
    ok(r.status == 0 and {p.tos for p in r.probes} == {72}, "-t: type of service", r.all)
    ok(six.status == 0 and {p.tos for p in six.probes} == {72}, "-t: traffic class", six.all)


@row("flow-label")
def label():
    r = path("-l", 0x12345, to=DST6)
    ok(r.status == 0 and {p.label for p in r.probes} == {0x12345}, "-l: flow label", r.all)
    r = path("-l", 5)
    ok(r.status == 2 and not r.sent, "-l: refused for IPv4", r.all)


def tagged(p):
    return struct.unpack("!I", p.payload[:4])[0] if len(p.payload) >= 4 else 0


@row("first", "max-hops")
def hops():
    r = path("-f", 2, "-m", 3, "--no-mtu", hops=6)
    ok({p.ttl for p in r.probes} == {2, 3}, "-f, -m: no TTL below, none above", r.all)
    ok(r.status == 3, "-m: not reached is status 3", r.all)
    r = path("-m", 4)
    ok(r.status == 0 and max(p.ttl for p in r.probes) <= 4, "-m: none above", r.all)


@row("queries")
def queries():
    r = path("-q", 3, "--no-mtu", "--json")
    for ttl in range(1, 4):
        n = sum(p.ttl == ttl for p in r.probes)
        ok(n == 3, "-q 3: three to TTL %d" % ttl, r.all)
    ok(all(len(h["probes"]) == 3 for h in r.of("hop")[:3]), "-q 3: three fates told", r.out)
    ok(len({tagged(p) for p in r.probes}) == len(r.probes), "each packet has its own tag", r.all)
