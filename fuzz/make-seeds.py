#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the seeds of the targets of lib/wire from the captures of tests/golden
and by hand. Run it in fuzz/ after a change; the seeds are kept in the tree."""
import os
import struct

GOLDEN = "../tests/golden/"


def frame(name, number, skip):
    with open(GOLDEN + name + ".pcap", "rb") as f:
        data = f.read()
    at = 24
    for _ in range(number):
        n = struct.unpack("<I", data[at + 8:at + 12])[0]
        found, at = data[at + 16:at + 16 + n], at + 16 + n
    return found[skip:]


def seed(target, name, data):
    os.makedirs("seeds/" + target, exist_ok=True)
    with open("seeds/%s/%s" % (target, name), "wb") as f:
        f.write(data)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    n = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while n > 0xffff:
        n = (n & 0xffff) + (n >> 16)
    return struct.pack(">H", 0xffff ^ n)


def extension(*objects):
    body = b"".join(struct.pack(">HBB", len(d) + 4, c, t) + d for c, t, d in objects)
    return b"\x20\0" + checksum(b"\x20\0\0\0" + body) + body


query = frame("dns_udp", 1, 14)
query6 = frame("LINKTYPE_RAW_ipv6", 1, 0)
routed = frame("ipv6-routing-header", 4, 14)
mpls = frame("mpls-traceroute", 2, 4)
interface = frame("icmp-rfc5837", 1, 4)
refused = frame("afs-part", 2, 14)
syn = frame("print-flags", 1, 14)

seed("ip4", "udp", query)
seed("ip4", "tcp-syn", syn)
seed("ip4", "first-fragment", frame("afs-part", 3, 14)[:200])
seed("ip4", "last-fragment", frame("afs-part", 6, 14)[:200])
seed("ip4", "options-unaligned", frame("ip_ts_opts_asan", 1, 14))
seed("ip4", "source-route", b"\x48" + query[1:20] + bytes([1, 131, 11, 4, 10, 0, 0, 1, 10, 0, 0, 2]) + query[20:])
seed("ip4", "record-route-and-timestamp",
     b"\x4a" + query[1:20] + bytes([7, 7, 4, 0, 0, 0, 0, 68, 12, 5, 0]) + bytes(12) + b"\0" + query[20:])
seed("ip4", "option-of-length-zero", b"\x46" + query[1:20] + bytes([68, 0, 0, 0]) + query[20:])
seed("ip4", "total-length-zero", query[:2] + b"\0\0" + query[4:])
seed("ip4", "total-length-short", frame("ipv4_invalid_total_length_2", 1, 14))
seed("ip4", "padded-by-the-link", query + bytes(18))
seed("ip4", "icmp-error", refused[:120])

seed("ip6", "udp", query6)
seed("ip6", "routing-header", routed)
seed("ip6", "segment-routing", frame("ipv6-srh-insert-cksum", 1, 14)[:200])
seed("ip6", "icmp6", frame("icmpv6", 1, 14))
seed("ip6", "payload-length-long", frame("ipv6_invalid_length_2", 1, 14))
head = query6[:6]
ends = query6[7:40]
hop = bytes([0, 0, 1, 4, 0, 0, 0, 0])
seed("ip6", "hop-destination-fragment", head + b"\0" + ends + b"\x3c" + hop[1:] + b"\x2c" + hop[1:] +
     bytes([17, 0, 5, 0xa9, 1, 2, 3, 4]) + query6[40:48])
seed("ip6", "fragment-first", head + b"\x2c" + ends + bytes([17, 0, 0, 1, 1, 2, 3, 4]) + query6[40:56])
seed("ip6", "authentication", head + b"\x33" + ends + bytes([17, 4]) + bytes(22) + query6[40:])
seed("ip6", "chain-too-long", head + b"\x3c" + ends + (b"\x3c" + hop[1:]) * 18)
seed("ip6", "two-fragment-headers", head + b"\x2c" + ends + bytes([44, 0, 0, 1, 1, 2, 3, 4]) * 2)

four, six = b"\0", b"\1"
seed("icmp", "4-refused-whole-datagram", four + refused[20:])
seed("icmp", "4-refused-eight-bytes", four + refused[20:56])
seed("icmp", "4-refused-header-only", four + refused[20:48])
seed("icmp", "4-refused-tcp-syn", four + refused[20:28] + syn)
seed("icmp", "4-mpls-at-128-unannounced", four + mpls[20:])
seed("icmp", "4-mpls-announced", four + mpls[20:25] + b"\x20" + mpls[26:])
seed("icmp", "4-interface-information", four + interface[20:])
seed("icmp", "4-too-big-with-extension", four + bytes([3, 4, 0, 0, 0, 32, 5, 20]) + query + bytes(44) +
     extension((1, 1, bytes([0x18, 0x96, 1, 1, 0x18, 0x97, 0, 1])),
               (2, 0x4d, struct.pack(">I", 3) + b"\0\1\0\0\x0a\0\0\1" + struct.pack(">I", 1500)),
               (2, 0x86, b"\0\2\0\0" + bytes(15) + b"\1" + b"\x08eth0\0\0\0")))
seed("icmp", "4-extension-object-too-long", four + mpls[20:25] + b"\x20" + mpls[26:28 + 132] + b"\xff\xff\1\1")
seed("icmp", "4-redirect", four + bytes([5, 1, 0, 0, 10, 0, 0, 1]) + query[:28])
seed("icmp", "6-problem", six + frame("icmpv6-rfc7112", 1, 54))
seed("icmp", "6-too-big", six + bytes([2, 0, 0, 0, 0, 0, 5, 0]) + query6)
seed("icmp", "6-refused-behind-routing-header", six + bytes([1, 4, 0, 0, 0, 0, 0, 0]) + routed)
seed("icmp", "6-exceeded-with-extension", six + bytes([3, 0, 0, 0, 16, 0, 0, 0]) + query6 + bytes(51) +
     extension((1, 1, bytes([0x18, 0x96, 1, 1]))))
seed("icmp", "6-echo", six + frame("ipv6-routing-header", 1, 54))

seed("cksum", "even", b"\x10\x10\0" + query)
seed("cksum", "odd-pieces", b"\x07\x0d\3" + frame("ipv4_invalid_total_length", 1, 14)[20:])
seed("cksum", "all-ones", b"\1\1\1" + b"\xff" * 67)
seed("cksum", "all-zero", b"\0\0\0" + bytes(40))
seed("cksum", "long", b"\xff\xfe\5" + refused * 3)

qinq = frame("802.1ad_QinQ", 1, 0)
seed("link", "arp-two-tags", qinq)
seed("link", "arp-untagged", qinq[:12] + qinq[20:])
seed("link", "arp-reply", frame("802.1ad_QinQ", 2, 0))
seed("link", "five-tags", qinq[:12] + b"\x81\0\0\1" * 5 + b"\x08\0")
seed("link", "four-tags", qinq[:12] + b"\x88\xa8\0\1" * 4 + b"\x08\0")
seed("link", "length-not-type", qinq[:12] + b"\0\x26" + bytes(38))
seed("link", "arp-of-another-hardware", qinq[:12] + b"\x08\x06\0\7" + qinq[24:])

dest = bytes([17, 0, 1, 4, 0, 0, 0, 0])
both = b"\x60\0\0\0\0\x64" + b"\0" + ends + b"\x3c" + hop[1:] + dest + query6[40:] + bytes(47)
seed("fragment", "udp", b"\0\x44\0" + query)
seed("fragment", "udp-backwards", b"\0\x44\1" + query)
seed("fragment", "options", b"\0\x44\0\x48" + query[1:20] + bytes([1, 131, 11, 4, 10, 0, 0, 1, 10, 0, 0, 2]) + query[20:])
seed("fragment", "refused-whole-datagram", b"\1\0\0" + refused)
seed("fragment", "6-udp", b"\0\x40\0" + query6)
seed("fragment", "6-behind-routing-header", b"\0\x60\1" + routed)
seed("fragment", "6-hop-and-destination", b"\0\x50\0" + both)
seed("fragment", "fits", b"\5\xdc\0" + query)
seed("fragment", "first-fragment", b"\1\0\0" + frame("afs-part", 3, 14))


def control(level, kind, data):
    """One control message as a 64-bit little-endian kernel writes it."""
    return (struct.pack("<Qii", 16 + len(data), level, kind) + data).ljust(
        16 + (len(data) + 7) // 8 * 8, b"\0")


PKT4 = control(0, 8, struct.pack("<i4s4s", 3, b"\xc0\0\2\7", b"\xc0\0\2\7"))
PKT4_GROUP = control(0, 8, struct.pack("<i4s4s", 3, b"\xc0\0\2\7", b"\xef\1\1\1"))
MAPPED = b"\0" * 10 + b"\xff\xff\xc0\0\2\7"
PKT6_MAPPED = control(41, 50, MAPPED + struct.pack("<i", 3))
PKT6_LINK = control(41, 50, b"\xfe\x80" + b"\0" * 13 + b"\1" + struct.pack("<i", 3))
ERR4 = struct.pack("<IBBBBII", 111, 2, 3, 3, 0, 0, 0) + struct.pack("<HH4s8x", 2, 0, b"\xc0\0\2\1")
ERR6 = struct.pack("<IBBBBII", 90, 3, 2, 0, 0, 1280, 0) + struct.pack(
    "<HHI16sI", 10, 0, 0, b"\x20\1\x0d\xb8" + b"\0" * 11 + b"\1", 0)
seed("ctl", "everything", PKT4 + control(0, 2, struct.pack("<i", 64)) + control(0, 1, b"\xb8") +
     control(1, 35, struct.pack("<qq", 1763757600, 123456789)) +
     control(17, 104, struct.pack("<i", 1200)) + control(1, 40, struct.pack("<I", 7)))
seed("ctl", "both-families", PKT6_MAPPED + PKT4_GROUP + control(41, 52, struct.pack("<i", 1)))
seed("ctl", "link-local", PKT6_LINK + control(41, 67, struct.pack("<i", 0x28)))
seed("ctl", "error", control(0, 11, ERR4) + PKT4)
seed("ctl", "error6", control(41, 25, ERR6) + PKT6_LINK)
seed("ctl", "error-without-address", control(0, 11, ERR4[:16]))
seed("ctl", "stamp", control(1, 37, struct.pack("<6q", 0, 0, 0, 0, 1763757600, 5)))
seed("ctl", "fragments", control(0, 25, struct.pack("<i", 1300)) + control(41, 77, struct.pack("<i", 1296)))


def on_wire(head, dst, kind, packet):
    data = dst + bytes([2, 0, 0, 0, 0, 4]) + kind + packet
    return bytes([head]) + struct.pack(">H", len(data)) + data


def ip4(proto, src, dst, payload, flags=0):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 7, flags, 64, proto, 0, src, dst)
    return head[:10] + checksum(head) + head[12:] + payload


def icmp(kind, code, rest, body):
    m = struct.pack(">BBHI", kind, code, 0, rest) + body
    return m[:2] + checksum(m) + m[4:]


host, gate, far = bytes([140, 252, 1, 32]), bytes([140, 252, 1, 4]), bytes([140, 252, 13, 65])
mac, made_up = bytes([2, 0, 0, 0, 0, 0x32]), bytes([2, 0x6f]) + gate
arp = bytes([0, 1, 8, 0, 6, 4, 0])
asks = on_wire(1, b"\xff" * 6, b"\x08\x06", arp + b"\1" + bytes([2, 0, 0, 0, 0, 4]) + gate + bytes(6) + host)
tells = on_wire(1, mac, b"\x08\x06", arp + b"\2" + bytes([2, 0, 0, 0, 0, 4]) + gate + mac + host)
wants = on_wire(0, b"\xff" * 6, b"\x08\x06", arp + b"\1" + mac + host + bytes(6) + gate)
udp = ip4(17, host, far, struct.pack(">HHHH", 1025, 9, 908, 0) + bytes(900), 0x4000)
sends = on_wire(0, made_up, b"\x08\0", udp)
told = on_wire(3, mac, b"\x08\0", ip4(1, gate, host, icmp(3, 4, 0, udp[:28])))
quench = on_wire(3, mac, b"\x08\0", ip4(1, gate, host, icmp(4, 0, 0, udp[:28])))
pings = on_wire(1, mac, b"\x08\0", ip4(1, gate, host, icmp(8, 0, 0x10001, bytes(300)), 0x4000))
for choice in 0, 4, 1 + 8 + 16 + 4, 2 + 4, 2 + 8 + 32 + 64, 128 + 4:
    seed("odd", "choice-%d" % choice,
         bytes([choice]) + asks + wants + sends + tells + sends + told + sends + quench + pings + asks)


def ether(kind, data, to=b"\2\0\0\0\0\0"):
    return to + b"\2\0\0\0\0\x63" + struct.pack(">H", kind) + data


def ask(sender, target):
    return ether(0x806, b"\0\1\x08\0\6\4\0\1\2\0\0\0\0\x63" + sender + b"\0" * 6 + target)


def udp4(dst, ttl=64, off=0, size=40):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28 + size, 7, off, ttl, 17, 0, b"\x0a\0\1\2", dst)
    head = head[:10] + checksum(head) + head[12:]
    return ether(0x800, head + struct.pack(">HHHH", 1108, 9, 8 + size, 0) + b"x" * size)


def udp6(dst, hops=64, size=40):
    src = b"\xfd\1" + b"\0" * 13 + b"\2"
    return ether(0x86dd, struct.pack(">IHBB", 6 << 28, 8 + size, 17, hops) + src + dst +
                 struct.pack(">HHHH", 1108, 9, 8 + size, 0x1234) + b"x" * size)


def steps(a, b, *rows):
    return bytes([a, b]) + b"".join(struct.pack(">BBH", i, t, len(f)) + f for i, t, f in rows)


A, B = b"\x0a\0\1", b"\x0a\0\2"
KNOWN = [(0, 0, ask(A + b"\2", A + b"\1")),
         (1, 0, ask(B + b"\2", B + b"\1").replace(b"\2\0\0\0\0\0", b"\2\1\0\0\0\0", 1))]
seed("router", "forwarded", steps(0, 0, *KNOWN, (0, 1, udp4(B + b"\2"))))
seed("router", "last-hop-labels", steps(0xc0, 0, *KNOWN, (0, 1, udp4(B + b"\2", 1))))
seed("router", "cut-for-296", steps(2, 0, *KNOWN, (0, 1, udp4(B + b"\2", size=650))))
seed("router", "too-big-six", steps(1, 2, *KNOWN, (0, 1, udp6(b"\xfd\2" + b"\0" * 13 + b"\2", size=1300))))
seed("router", "translated", steps(16, 0, *KNOWN, (0, 1, udp4(B + b"\2")), (0, 1, udp4(B + b"\2", 1))))
seed("router", "together", steps(32, 0, *KNOWN, (0, 1, udp4(B + b"\2", off=0x2000)),
                                 (0, 1, udp4(B + b"\2", off=6))))
seed("router", "harmed", steps(0, 0x61, *KNOWN, *[(0, 1, udp4(B + b"\2", size=200))] * 4))
seed("router", "balanced", steps(0, 0x80, *KNOWN, *[(0, 1, udp4(b"\x0a\x09\0\1"))] * 2))
seed("router", "prohibited-six", steps(0, 0, (0, 0, udp6(b"\xfd\x99" + b"\0" * 13 + b"\1"))))
NTP = struct.pack(">II", 3972746400, 1 << 31)
PROBE = struct.pack(">I8sHH28x", 5, NTP, 0x8601, 0xabcd)
REPLY = struct.pack(">I8sHH8sI8sHxxB3x", 6, NTP, 1, 0xabcd, NTP, 5, NTP, 0x8601, 63)
TALLY = b"\xffskytaly\1"
seed("stamp", "probe", b"\0" + PROBE)
seed("stamp", "probe-tlvs", b"\0" + PROBE + b"\x80\1\0\2xx\x80\xf0\0\1y\x80\2\0\xff..")
seed("stamp", "probe-old-padding", b"\0" + PROBE + bytes(20))
seed("stamp", "probe-ptp", b"\0" + struct.pack(">IIIHH28x", 5, 1763757600, 5, 0x4001, 0))
seed("stamp", "reply", b"\1" + REPLY)
seed("stamp", "reply-padded", b"\1" + REPLY + b"\0\1\0\4abcd")
seed("stamp", "hello", b"\0" + TALLY + struct.pack(">BHIIQ", 1, 1, 0xabcd, 0, 0))
seed("stamp", "report", b"\1" + TALLY + struct.pack(">BHII21Q", 5, 21, 0x12abcd, 0, *range(21)))

# Requests: what to do, how long, bytes (fuzz/call.c). 1: put a right head before
# them; 2: an error that quotes them; 4: from the peer that was asked.
def told(what, data):
    return bytes([what, len(data)]) + data


seed("call", "plain-echo", told(5, b"\0\0\1\0\0"))
seed("call", "answers-and-a-duplicate", told(5, b"\1\1\1\1\1a") + told(5, b"\1\1\1\2\1a"))
seed("call", "second-copy", told(15, b"") * 3 + told(5, b"\2\1\2\1\2ab") + told(5, b"\2\1\1\2\3ab"))
seed("call", "refused-by-quote", told(0x1f, b"\1\0\1\0\0a"))
seed("call", "quote-too-short", told(0x1e, b"SKYR\1\0\1\0") + told(0x1e, b""))
seed("call", "from-elsewhere", told(1, b"\0\1\1\1\1"))
seed("call", "stray-and-cut", told(4, b"hello") + told(4, b"SKYR\1\1\1") + told(4, b"SKYR\2" + bytes(30)))

# What is heard about probes of a path (fuzz/hopin.c): how, where the tag goes, message.
E4 = bytes(4)
QUOTE4 = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 60, 0, 0x4000, 1, 17, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 8, 2]))
UDPQ = struct.pack(">HHHH", 4660, 33434, 40, 0x1234)
QUOTE6 = struct.pack(">IHBB", 0x60000000, 40, 17, 1) + \
    bytes([0xfd] + [0] * 14 + [1]) + bytes([0xfd, 0, 0, 8] + [0] * 11 + [2])
STACK = extension((1, 1, b"\x05\xdc\x10\xff\x05\xdc\x27\x01"))
seed("hopin", "4-exceeded", b"\4\x09" + b"\x0b\0\0\0" + E4 + QUOTE4 + UDPQ + bytes(32))
seed("hopin", "4-eight-bytes", b"\0\0" + b"\x0b\0\0\0" + E4 + QUOTE4 + UDPQ)
seed("hopin", "4-forged", b"\0\0" + b"\x0b\0\0\0" + E4 + QUOTE4 + UDPQ + b"forged forged forged")
seed("hopin", "4-translated", b"\4\x09" + b"\x0b\0\0\0" + E4 + QUOTE4 + b"\xff" + UDPQ[1:] + bytes(32))
seed("hopin", "4-too-big", b"\4\x09" + b"\3\4\0\0\0\0\3\xee" + QUOTE4 + UDPQ + bytes(32))
seed("hopin", "4-labels", b"\4\x09" + b"\x0b\0\0\0\0\x20\0\0" + QUOTE4 + UDPQ + bytes(100) + STACK)
seed("hopin", "4-labels-unannounced", b"\4\x09" + b"\x0b\0\0\0" + E4 + QUOTE4 + UDPQ + bytes(100) + STACK)
seed("hopin", "4-echo-reply", b"\6\2" + struct.pack(">BBHHH", 0, 0, 0, 4660, 77) + bytes(32))
seed("hopin", "4-echo-quoted", b"\6\x09" + b"\x0b\0\0\0" + E4 + QUOTE4[:9] + b"\1" + QUOTE4[10:] +
     struct.pack(">BBHHH", 8, 0, 0, 4660, 77) + bytes(32))
seed("hopin", "6-exceeded", b"\5\x0e" + b"\3\0\0\0" + E4 + QUOTE6 + UDPQ + bytes(32))
seed("hopin", "6-refused", b"\5\x0e" + b"\1\4\0\0" + E4 + QUOTE6 + UDPQ + bytes(32))
seed("hopin", "6-echo-reply", b"\7\2" + struct.pack(">BBHHH", 129, 0, 0, 4660, 77) + bytes(32))


def answers(conf, *steps):
    """what, probes back, MTU / 6, from 10.0.0.N, TTL, time: as fuzz/trace.c reads them"""
    return bytes(conf) + b"".join(bytes(x) for x in steps)


MATCHED = 0x40
EXCEEDED, REACHED, TOO_BIG, UNREACHABLE, LOCAL = range(1, 6)
hops = [(MATCHED | EXCEEDED, 3 - i, 0, i + 1, 64 - i, 128) for i in range(4)]
far = (MATCHED | REACHED, 4, 0, 39, 56, 0x94)
seed("trace", "clean", answers((39, 0, 0, 0), (MATCHED | REACHED, 5, 0, 39, 56, 0x94), far, *hops,
                               *[(MATCHED | EXCEEDED, i, 0, 9 - i, 60, 128) for i in range(1, 5)],
                               (MATCHED | REACHED, 0, 0, 39, 56, 128)))
seed("trace", "told", answers((39, 0, 0, 0), (MATCHED | TOO_BIG, 5, 233, 3, 62, 0x94), far, *hops,
                              (MATCHED | REACHED, 8, 0, 39, 56, 0x94)))
seed("trace", "black-hole", answers((39, 0, 0, 0), far, *hops, *[(0, 0, 0, 0, 0, 0x9f)] * 20))
seed("trace", "eight-bytes", answers((39, 0, 0, 0), *[(0xc0 | 8 | EXCEEDED, 0, 0, i, 60, 0x90)
                                                     for i in range(1, 30)]))
seed("trace", "forged", answers((39, 0, 0, 0), *[(0x80 | TOO_BIG, i, i, i, i, 0x90) for i in range(30)]))
seed("trace", "no-room", answers((39, 0, 0, 0), *[(MATCHED | LOCAL, i, 0, 0, 1, 0x90) for i in range(30)]))
seed("trace", "device", answers((39 | 64, 0, 0, 0), (MATCHED | LOCAL, 5, 250, 0, 0, 128), far, *hops))
seed("trace", "loop", answers((39, 0, 0, 0), *[(MATCHED | EXCEEDED, i % 4, 0, i % 2, 64, 0x94)
                                               for i in range(40)]))
seed("trace", "serial-ten-probes", answers((39, 0, 16 | 10, 8), *hops, far, *hops))
seed("trace", "one-error-each", answers((39, 8, 3, 4 | 128), far, *hops, *[(0, 0, 0, 0, 0, 0xbf)] * 9))
