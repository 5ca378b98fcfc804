#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""An error is a hint: what it quotes is shown, and compared with what was sent.

Forged, cut, padded and extended quotes; none is believed that was not sent.
"""
import struct

from kit import netns, packet, sky, tap
from kit.forger import HOME, ROUTER, V4, V6, Lab

SENT = b"a datagram that was really sent, and quite long enough"
HEAD = {V4: 28, V6: 48}
PORT = {V4: (3, 3), V6: (1, 4)}
NAMES = {V4: "IPv4", V6: "IPv6"}
# RFC 4950: one MPLS label stack object, label 100, TTL 1
MPLS = struct.pack("!HBBI", 8, 1, 1, 100 << 12 | 1 << 8 | 1)


def extension(objects, spoil=0):
    """RFC 4884 section 7."""
    head = struct.pack("!BBH", 0x20, 0, 0)
    sum_ = packet.checksum(head + objects) ^ spoil
    return struct.pack("!BBH", 0x20, 0, sum_) + objects


class Case:
    """A socket that has sent something, and the wire it was seen on."""

    def __init__(self, lab, family, sock_family, sent=SENT):
        self.lab, self.family = lab, family
        self.to = lab.next(family)
        self.u = sky.Socket(lab.a, family=sock_family)
        self.status = self.u.send(sent, self.to)
        self.seen = lab.wire.catch(family, self.to[1])

    def answer(self, quote, rest=bytes(4)):
        self.lab.wire.put(packet.icmp(ROUTER[self.family], HOME[self.family],
                                      *PORT[self.family], rest, quote))
        self.lab.fence()
        return self.u.errors()


def payload_swapped(case, payload, dport=None):
    """What a forger who knows our port might quote."""
    d = case.seen
    inner = packet.udp(d.src, d.sport, d.dst, dport or d.dport, payload)
    return packet.ip(d.src, d.dst, packet.UDP, inner)


def trusts(fates, sent):
    before = [f.trust for f in fates]
    return before, [sky.vouch(f, sent) for f in fates], [f.trust for f in fates]


def check_lengths(t, lab, family, sock_family):
    for quoted, want in ((0, sky.SHORT), (1, sky.SHORT), (3, sky.SHORT), (4, sky.MATCHED),
                         (8, sky.MATCHED), (len(SENT), sky.MATCHED)):
        c = Case(lab, family, sock_family)
        got = c.answer(c.seen.packet[:HEAD[family] + quoted])
        label = "%d bytes quoted, %s" % (quoted, NAMES[family])
        t.same([f.bytes() for f in got], [SENT[:quoted]], label + ": the quote")
        t.same(trusts(got, SENT), ([sky.UNKNOWN], [want], [want]), label + ": the trust")
        c.u.close()


def check_forged(t, lab, family, sock_family):
    for what, payload, dport in (
            ("other bytes", b"something that nobody ever sent", None),
            ("one bit changed", SENT[:3] + bytes([SENT[3] ^ 1]) + SENT[4:], None),
            ("a late bit changed", SENT[:-1] + bytes([SENT[-1] ^ 1]), None),
            ("a port never sent to", b"never sent", 99)):
        c = Case(lab, family, sock_family)
        got = c.answer(payload_swapped(c, payload, dport))
        label = "forged quote, %s, %s" % (what, NAMES[family])
        t.same([(f.bytes(), f.dst.plain()[2]) for f in got], [(payload, dport or c.to[1])],
               label + ": delivered as it is")
        t.same(trusts(got, SENT), ([sky.UNKNOWN], [sky.MISMATCH], [sky.MISMATCH]),
               label + ": marked")
        c.u.close()


def check_empty(t, lab, family, sock_family):
    c = Case(lab, family, sock_family, b"")
    got = c.answer(c.seen.packet)
    t.same(([f.bytes() for f in got], trusts(got, b"")), ([b""], ([0], [sky.MATCHED], [sky.MATCHED])),
           "an empty datagram, quoted whole, %s" % NAMES[family])
    c.u.close()
    c = Case(lab, family, sock_family, b"ab")
    got = c.answer(c.seen.packet[:HEAD[family] + 2])
    t.same(trusts(got, b"ab")[1], [sky.MATCHED], "two bytes, quoted whole, %s" % NAMES[family])
    c.u.close()


def check_offset(t, lab, family, sock_family):
    """What was sent lies at an offset of a larger buffer, as in a train."""
    c = Case(lab, family, sock_family)
    f = (c.answer(c.seen.packet) or [sky.Fate()])[0]
    t.same([sky.vouch(f, b"head" + SENT, 4), sky.vouch(f, b"head" + SENT, 3)],
           [sky.MATCHED, sky.MISMATCH], "compared at an offset, %s" % NAMES[family])
    c.u.close()


def check_extended(t, lab, family, sock_family):
    """RFC 4884: the quote padded to 128 bytes, an extension behind it."""
    rest = bytes([0, 32, 0, 0]) if family == V4 else bytes([16, 0, 0, 0])
    for spoil in (0, 0x1111):
        for sent in (b"short", SENT * 5):
            c = Case(lab, family, sock_family, sent)
            ext = extension(MPLS, spoil)
            got = c.answer(c.seen.packet[:128].ljust(128, b"\0") + ext, rest)
            label = "%d bytes sent, an extension%s, %s" % (
                len(sent), " with a bad checksum" if spoil else "", NAMES[family])
            f = got[0] if len(got) == 1 else sky.Fate()
            t.ok(len(got) == 1 and sky.vouch(f, sent) == sky.MATCHED, label + ": matched",
                 len(got), f.bytes(), f.trust)
            have = sky.C.string_at(f.ext, f.ext_len) if f.ext else b""
            if spoil:
                t.ok(f.flags & 2, label + ": marked bad", f.flags, have)
            else:
                t.same((have, f.flags & 2), (ext, 0), label + ": given whole")
            c.u.close()


def check_room(t, lab, family, sock_family):
    """Less room for the quote than was quoted, or none."""
    for room in (0, 10, 60):
        c = Case(lab, family, sock_family)
        lab.wire.put(packet.icmp(ROUTER[family], HOME[family], *PORT[family], bytes(4),
                                 c.seen.packet))
        lab.fence()
        got = c.u.errors(8, room)
        f = got[0] if got else sky.Fate()
        cut = bool(f.flags & 1)
        t.ok(len(got) == 1 and f.quote_len <= room and cut == (room < len(SENT))
             and SENT.startswith(f.bytes()) and f.dst.plain()[2] == c.to[1],
             "room for %d bytes of quote, %s" % (room, NAMES[family]), len(got), f.quote_len, cut)
        c.u.close()


def check_drained(t, lab, family, sock_family):
    """The same record when a send had to take it out of the kernel first."""
    c = Case(lab, family, sock_family)
    lab.wire.put(packet.icmp(ROUTER[family], HOME[family], *PORT[family], bytes(4), c.seen.packet))
    lab.fence()
    status = c.u.send(b"next", lab.next(family))
    got = c.u.errors()
    t.same((status, [(f.bytes(), f.dst.plain(), f.by.plain()[1], f.icmp_type, f.icmp_code)
                     for f in got], trusts(got, SENT)[1]),
           (0, [(SENT, (family,) + c.to, ROUTER[family]) + PORT[family]], [sky.MATCHED]),
           "an error that a send met first is told whole, %s" % NAMES[family])
    c.u.close()


def check_long(t, lab, family, sock_family):
    """Fifty errors at once are told in order, each with its own quote, with
    room for a few at a time."""
    u = sky.Socket(lab.a, family=sock_family)
    tos = [lab.next(family) for _ in range(50)]
    for i, to in enumerate(tos):
        u.send(b"number %02d" % i, to)
        lab.forge(family, *PORT[family], to[1], bytes(4))
        # The next send would take it out; leave them for errors() by reading first.
        if i % 10 == 9:
            got = []
            for _ in range(20):
                got += [(f.dst.plain()[2], f.bytes()) for f in u.errors(3, 64)]
            want = [(tos[k][1], b"number %02d" % k) for k in range(i - 9, i + 1)]
            lost = u.info().errors_lost
            t.ok(got == want[:len(got)] and len(got) + lost - check_long.lost == 10
                 and len(got) >= 8, "ten errors in order, %s" % NAMES[family], got, want, lost)
            check_long.lost = lost
    check_long.lost = 0
    u.close()


check_long.lost = 0


def check_stranger(t, lab, family):
    """A quote of a port that is not ours is nobody's."""
    c = Case(lab, family, family)
    d = c.seen
    inner = packet.udp(d.src, d.sport ^ 1, d.dst, d.dport, SENT)
    got = c.answer(packet.ip(d.src, d.dst, packet.UDP, inner))
    t.same(len(got), 0, "a quote of another socket's port, %s" % NAMES[family])
    c.u.close()


def main():
    netns.isolate()
    t = tap.Tap(60)
    lab = Lab()
    for family, sock_family in ((V4, V4), (V4, V6), (V6, V6)):
        check_lengths(t, lab, family, sock_family)
        check_forged(t, lab, family, sock_family)
        check_empty(t, lab, family, sock_family)
        check_offset(t, lab, family, sock_family)
        check_extended(t, lab, family, sock_family)
        check_room(t, lab, family, sock_family)
        check_drained(t, lab, family, sock_family)
        check_long(t, lab, family, sock_family)
    for family in (V4, V6):
        check_stranger(t, lab, family)
    t.done()


if __name__ == "__main__":
    main()
