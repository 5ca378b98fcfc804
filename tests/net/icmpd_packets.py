#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""icmpd and what comes off the wire: every error about a socket reaches it, with
who said so; nothing cut, bent or forged harms the daemon or reaches another."""
import socket
import struct

from kit import icmpdbed, packet, tap
from kit.forger import FAR, HOME, ROUTER, V4, V6
from kit.icmpdbed import quote

t = tap.Tap(120)
icmpdbed.begin()
bed = icmpdbed.Bed()
client = bed.d.client()
NAMES = {V4: "IPv4", V6: "IPv6"}
HEAD = {V4: 20, V6: 40}


def registered(family, **how):
    s = bed.socket(family, **how)
    t.same(client.register(s), "", "a socket of %s is taken" % NAMES[family])
    return s


def kinds(family, s):
    """Errors that the kernel gives to nobody are among them: 4/0 and 11/1."""
    rows = {V4: ((3, 0), (3, 1), (3, 3), (3, 4), (3, 13), (4, 0), (11, 0), (11, 1), (12, 0)),
            V6: ((1, 0), (1, 4), (2, 0), (3, 0), (3, 1), (4, 0))}[family]
    for kind in rows:
        rest = struct.pack("!I", 1300) if kind in ((3, 4), (2, 0)) else bytes(4)
        got = bed.after(client, lambda: bed.error(s, kind=kind, rest=rest, dport=53))
        if not t.same([(f.type, f.code, f.by[0], f.src, f.dst) for f in got],
                      [(*kind, ROUTER[family], (HOME[family], s.getsockname()[1]),
                        (FAR[family], 53))], "%s %d/%d is told, by whom, about what" % (NAMES[family], *kind)):
            continue
        if kind in ((3, 4), (2, 0)):
            t.same(got[0].mtu, 1300, "and the MTU")
    for kind in {V4: ((5, 1), (0, 0), (8, 0), (3, 16), (13, 0)), V6: ((128, 0), (129, 0), (137, 0))}[family]:
        got = bed.after(client, lambda: bed.error(s, kind=kind))
        t.ok(len(got) <= (kind == (3, 16)), "%s %d/%d is no error about a datagram" % (NAMES[family], *kind), got)


def cut(family, s):
    """At every byte."""
    whole = quote(family, s.getsockname()[1])
    least = HEAD[family] + 8
    told, wrong = 0, []
    for n in range(len(whole) + 1):
        got = bed.after(client, lambda: bed.put(family, *icmpdbed.PORT_UNREACHABLE[family], whole[:n]))
        told += len(got)
        if (n < HEAD[family] + 4 and got) or (n >= least and len(got) != 1):
            wrong.append((n, len(got)))
    t.same(wrong, [], "%s cut behind every byte of the quote: told if the ports are there" % NAMES[family])
    for n in range(8):
        raw = packet.ip(ROUTER[family], HOME[family], packet.ICMP if family == V4 else packet.ICMP6,
                        bytes((3, 3, 0, 0, 0, 0, 0, 0))[:n])
        bed.lab.wire.put(raw)
    t.ok(bed.fence(), "%s: not even a header of ICMP: the daemon goes on" % NAMES[family])


def bent(family, s):
    """Every byte of the quote turned; what still comes is about this very socket."""
    whole, stray = quote(family, s.getsockname()[1]), []
    own = (HOME[family], s.getsockname()[1])
    for i in range(len(whole)):
        for with_ in (0xFF, 0x01, 0x80):
            bad = whole[:i] + bytes([whole[i] ^ with_]) + whole[i + 1:]
            got = bed.after(client, lambda: bed.put(family, *icmpdbed.PORT_UNREACHABLE[family], bad))
            stray += [(i, with_, f.src) for f in got if f.src != own]
    t.same(stray, [], "%s with any byte bent: nothing is told of another end" % NAMES[family])


def checksum(family, s):
    def spoilt():
        raw = bytearray(packet.icmp(ROUTER[family], HOME[family], *icmpdbed.PORT_UNREACHABLE[family],
                                    bytes(4), quote(family, s.getsockname()[1])))
        raw[HEAD[family] + 2] ^= 0x55
        bed.lab.wire.put(bytes(raw))
    t.same(len(bed.after(client, spoilt)), 0, "%s with a wrong checksum is not told" % NAMES[family])


def not_ours(family, s):
    port = s.getsockname()[1]
    other = {V4: "10.9.0.77", V6: "fd09::77"}[family]
    for what, how in (("another local address", {"src": other}),
                      ("another protocol", {"proto": 6}),
                      ("one we do not know", {"proto": 132})):
        got = bed.after(client, lambda h=how: bed.put(family, *icmpdbed.PORT_UNREACHABLE[family],
                                                      quote(family, port, **h)))
        t.same(len(got), 0, "%s, the port alone is right, but %s: not told" % (NAMES[family], what))
    s.connect((FAR[family], 4000))
    got = bed.after(client, lambda: bed.error(s, dport=4001))
    t.same(len(got), 0, "%s, a connected socket: another peer's port, not told" % NAMES[family])
    got = bed.after(client, lambda: bed.error(s, dport=4000))
    t.same(len(got), 1, "%s, connected after it was registered: its peer's is told" % NAMES[family])


def mapped():
    s = bed.lab.a.socket(V6, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.bind(("::", 0))
    client.register(s)
    got = bed.after(client, lambda: bed.error(s, family=V4))
    t.same([f.dst for f in got], [(FAR[V4], 9)], "an IPv6 socket hears of its IPv4 datagrams")
    s.close()


def headers():
    """IPv6 extension headers in the quote: hop-by-hop, destination, fragment."""
    s = registered(V6)
    port, src, dst = s.getsockname()[1], HOME[V6], FAR[V6]
    udp = packet.udp(src, port, dst, 9, b"12345678")
    pad = bytes((1, 4, 0, 0, 0, 0))
    for what, first, chain, want in (
            ("hop-by-hop", 0, bytes((17, 0)) + pad, 1), ("destination options", 60, bytes((17, 0)) + pad, 1),
            ("both", 0, bytes((60, 0)) + pad + bytes((17, 0)) + pad, 1),
            ("a first fragment", 44, struct.pack("!BBHI", 17, 0, 1, 7), 1),
            ("a later fragment", 44, struct.pack("!BBHI", 17, 0, 8 << 3 | 1, 7), 0),
            ("a chain without end", 0, (bytes((0, 0)) + pad) * 30, 0)):
        got = bed.after(client, lambda: bed.put(V6, 1, 4, packet.ip(src, dst, first, chain + udp)))
        t.same(len(got), want, "IPv6 with %s in the quote: %s" % (what, "told" if want else "not told"))
    s.close()


def extension():
    """RFC 4884 with an MPLS label (RFC 4950): the extension comes along."""
    s = registered(V4)
    objects = struct.pack("!HBBI", 8, 1, 1, 100 << 12 | 1 << 8 | 1)
    head = struct.pack("!BBH", 0x20, 0, 0)
    ext = struct.pack("!BBH", 0x20, 0, packet.checksum(head + objects)) + objects
    padded = quote(V4, s.getsockname()[1]).ljust(128, b"\0")
    rest = bytes((0, 32, 0, 0))
    got = bed.after(client, lambda: bed.put(V4, 11, 0, padded + ext, rest))
    t.same([f.ext for f in got], [ext], "an extension is told as it came")
    s.close()


def protocols():
    for what, kind, proto in (("UDP-Lite", socket.SOCK_DGRAM, 136), ("TCP", socket.SOCK_STREAM, 6)):
        try:
            s = bed.socket(V4, kind, proto=proto)
        except OSError as e:
            t.skip(what, "this kernel has none: %s" % e)
            continue
        if proto == 6:
            s.setblocking(False)
            s.connect_ex((FAR[V4], 9))
        t.same(client.register(s, proto=proto), "", "%s: taken" % what)
        # TCP: 8 bytes of header are ports and sequence number
        got = bed.after(client, lambda: bed.put(V4, 3, 3, quote(V4, s.getsockname()[1], proto=proto)))
        t.same(len(got), 1, "%s: told" % what)
        s.close()


def closed():
    s = registered(V4)
    port = s.getsockname()[1]
    s.close()
    other = bed.socket(V4, port=port)
    got = bed.after(client, lambda: bed.error(other))
    t.same(len(got), 0, "the socket was closed and the port is another's: not told")
    other.close()


def flood():
    """About nobody's ports, faster than anybody could look."""
    c = bed.d.client()
    before, kib = c.ask(), bed.d.kib()
    n = 40000
    for i in range(n):
        bed.put(V4, 3, 3, quote(V4, 1 + i % 9000, dport=i & 0xFFFF or 1))
    t.ok(bed.fence(), "a flood about nobody: the daemon goes on")
    after = c.ask()
    # heard4 and what the kernel dropped before it
    seen = after[1] - before[1] + after[13] - before[13]
    t.ok(n <= seen <= n + 1 + before[1], "all of it is counted, as heard or as overrun", seen, n)
    t.ok(bed.d.kib() <= kib + 1024, "its memory is what it was", bed.d.kib(), kib)
    c.close()


for fam in (V4, V6):
    sock = registered(fam)
    kinds(fam, sock)
    cut(fam, sock)
    bent(fam, sock)
    checksum(fam, sock)
    not_ours(fam, sock)
    sock.close()
mapped()
headers()
extension()
protocols()
closed()
flood()
t.same(bed.stop(), 0, "it ends when it is told to, with status 0")
t.done()
