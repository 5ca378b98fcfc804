# SPDX-License-Identifier: BSD-2-Clause
"""Packets by hand, from the RFCs; nothing here comes from the library."""
import socket
import struct

ETH_IP, ETH_IPV6 = 0x0800, 0x86DD
UDP, ICMP, ICMP6 = 17, 1, 58


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def pton(host):
    return socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)


def ip(src, dst, proto, payload, ttl=64):
    """RFC 791 without options, or RFC 8200, by the look of src."""
    if ":" in src:
        return struct.pack("!IHBB", 6 << 28, len(payload), proto, ttl) + pton(src) + pton(dst) + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7, 0, ttl, proto, 0)
    head += pton(src) + pton(dst)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(src, sport, dst, dport, payload):
    """RFC 768."""
    head = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    pseudo = pton(src) + pton(dst) + struct.pack("!HH", UDP, 8 + len(payload))
    sum_ = checksum(pseudo + head + payload) or 0xFFFF
    return head[:6] + struct.pack("!H", sum_) + payload


def icmp(src, dst, type_, code, rest, quote):
    """RFC 792, or RFC 4443 with its pseudo-header, as an IP packet."""
    body = struct.pack("!BBH4s", type_, code, 0, rest) + quote
    pseudo = b""
    if ":" in src:
        pseudo = pton(src) + pton(dst) + struct.pack("!II", len(body), ICMP6)
    body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
    return ip(src, dst, ICMP6 if ":" in src else ICMP, body)


class Datagram:
    """A UDP datagram as it was seen on the wire."""

    def __init__(self, packet):
        self.packet = packet
        self.family = socket.AF_INET6 if packet[0] >> 4 == 6 else socket.AF_INET
        v6 = self.family == socket.AF_INET6
        at = 40 if v6 else (packet[0] & 15) * 4
        self.head = at
        self.proto = packet[6] if v6 else packet[9]
        self.src, self.dst = (
            socket.inet_ntop(self.family, packet[i:i + n])
            for i, n in ((8, 16), (24, 16)) if v6) if v6 else (
            socket.inet_ntop(self.family, packet[i:i + 4]) for i in (12, 16))
        self.sport, self.dport = struct.unpack("!HH", packet[at:at + 4])
        self.payload = packet[at + 8:]

    def is_udp(self):
        return self.proto == UDP


class Wire:
    """One end of a link seen raw: what comes in, and whatever is to go out."""

    def __init__(self, ns, ifname, mac):
        self.ifname, self.mac = ifname, mac
        self.ins = {}
        for proto in (ETH_IP, ETH_IPV6):
            s = ns.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(proto))
            s.bind((ifname, proto))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            self.ins[proto] = s

    def put(self, packet):
        proto = ETH_IPV6 if packet[0] >> 4 == 6 else ETH_IP
        self.ins[proto].sendto(packet, (self.ifname, proto, 0, 0, self.mac))

    def read(self, s):
        """The next UDP datagram that came in from the other end, or None."""
        packet, addr = s.recvfrom(65535)
        if addr[2] == socket.PACKET_OUTGOING or len(packet) < 28:
            return None
        d = Datagram(packet)
        return d if d.is_udp() else None

    def catch(self, family, dport, seconds=2):
        """The next datagram to this port; TimeoutError when it does not come."""
        s = self.ins[ETH_IPV6 if family == socket.AF_INET6 else ETH_IP]
        s.settimeout(seconds)
        for _ in range(10000):
            d = self.read(s)
            if d and d.dport == dport:
                return d
        raise TimeoutError("no datagram to port %d" % dport)
