# SPDX-License-Identifier: BSD-2-Clause
"""A path behind a veth, in a thread: it sees every packet that sockpath sends, as
bytes, and answers as routers and a destination would. Shares no code with it."""
import json
import os
import socket
import struct
import subprocess
import threading
import time

import sockbed
from sockbed import DEADLINE

SOCKPATH = os.path.join(os.environ["SOCKEYE_BUILD"], "prog/sockpath/sockpath")
ETH_P_ALL, ETH_P_IP, ETH_P_IP6, OUTGOING = 3, 0x0800, 0x86dd, 4
SO_TIMESTAMPNS = 35
MAC = {"v": bytes.fromhex("0200000000010200000000fe"),     # to, from
       "w": bytes.fromhex("0200000000020200000000fd")}
DST4, DST6 = "198.51.100.7", "2001:db8::7"
SETUP = [
    "link add v0 address 02:00:00:00:00:01 type veth peer name v1", "link set v0 up", "link set v1 up",
    "link add w0 address 02:00:00:00:00:02 type veth peer name w1", "link set w0 up", "link set w1 up",
    "addr add 192.0.2.1/24 dev v0", "addr add 192.0.2.9/24 dev v0",
    "addr add fd00:2::1/64 dev v0 nodad", "addr add 203.0.113.1/24 dev w0",
    "route add default via 192.0.2.254", "route add default via 203.0.113.254 metric 50",
    "-6 route add default via fd00:2::fe",
    "neigh add 192.0.2.254 lladdr 02:00:00:00:00:fe dev v0",
    "neigh add 192.0.2.77 lladdr 02:00:00:00:00:fe dev v0",
    "neigh add fd00:2::fe lladdr 02:00:00:00:00:fe dev v0",
    "neigh add 203.0.113.254 lladdr 02:00:00:00:00:fd dev w0",
]
checks = {}


def row(*names):
    """The function below observes these rows of the table."""
    def keep(f):
        for name in names:
            checks.setdefault(name, []).append(f)
        return f
    return keep


def summed(data):
    data += b"\0" * (len(data) % 2)
    s = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while s > 0xffff:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


class Packet:
    """What left, read by hand: family, src, dst, ttl, tos, label, len, df, options,
    proto, sport, dport, payload, and when."""

    def __init__(self, data, at):
        self.at, self.data, self.len = at, data, len(data)
        self.sport = self.dport = self.icmp_type = None
        self.options, self.label, self.df = b"", 0, True
        if data[0] >> 4 == 4:
            self.ip4(data)
        else:
            self.ip6(data)
        if self.proto in (socket.IPPROTO_UDP, socket.IPPROTO_TCP):
            self.sport, self.dport = struct.unpack("!HH", self.body[:4])
        elif self.body:
            self.icmp_type = self.body[0]
        self.payload = self.body[8:]

    def ip4(self, data):
        head = (data[0] & 15) * 4
        self.family, self.tos, self.ttl, self.proto = 4, data[1], data[8], data[9]
        self.frag, self.options = struct.unpack("!H", data[6:8])[0], data[20:head]
        self.df = bool(self.frag & 0x4000)
        self.src, self.dst = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
        self.body = data[head:]

    def ip6(self, data):
        word, _, self.proto, self.ttl = struct.unpack("!IHBB", data[:8])
        self.family, self.tos, self.label = 6, word >> 20 & 255, word & 0xfffff
        self.src = socket.inet_ntop(socket.AF_INET6, data[8:24])
        self.dst = socket.inet_ntop(socket.AF_INET6, data[24:40])
        self.body = data[40:]


class Net(threading.Thread):
    """hops routers before the destination; mtu {hop: bytes} behind router hop; told:
    what that router says instead; silent: hops that never answer; deaf: nor the
    destination; late: s until an answer leaves; dnat: the destination that quotes
    show; back {hop: TTL} of the answers when they arrive; mpls {hop: label}; spread:
    hop 2 is one of two by the parity of the source port; narrow: IPv4 replies come
    back in pieces no larger than this."""

    def __init__(self, side="v", **how):
        super().__init__(daemon=True)
        self.hops, self.mtu, self.told, self.silent, self.deaf = 3, {}, {}, (), False
        self.late, self.dnat, self.mpls, self.back = 0, None, {}, {}
        self.spread, self.narrow = False, 0
        self.__dict__.update(how)
        self.side, self.sent, self.end = side, [], False
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((side + "1", ETH_P_ALL))
        self.socket.settimeout(0.05)
        self.waiting = []
        self.most, self.flying = 0, 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end = True
        self.join()
        self.socket.close()

    def run(self):
        while not self.end:
            self.due()
            try:
                frame, aside, _, where = self.socket.recvmsg(70000, 64)
            except TimeoutError:
                continue
            seconds, ns = struct.unpack("qq", aside[0][2][:16])  # when it left, not was seen
            kind = struct.unpack("!H", frame[12:14])[0]
            if where[2] != OUTGOING and kind in (ETH_P_IP, ETH_P_IP6):
                self.take(Packet(self.cut(frame[14:]), seconds + ns / 1e9))

    def due(self):
        """Answers whose time has come; the next wakes us."""
        now = time.monotonic()
        for at, frames in [w for w in self.waiting if w[0] <= now]:
            self.waiting.remove((at, frames))
            self.flying -= 1
            for frame in frames:
                self.socket.send(frame)
        left = min([at for at, _ in self.waiting] + [now + 0.05]) - now
        self.socket.settimeout(max(left, 0.0005))

    @staticmethod
    def cut(data):
        """Without what Ethernet put behind."""
        if data[0] >> 4 == 4:
            return data[:struct.unpack("!H", data[2:4])[0]]
        return data[:40 + struct.unpack("!H", data[4:6])[0]]

    def take(self, p):
        if p.family == 6 and (p.dst.startswith("ff02:") or p.proto == socket.IPPROTO_ICMPV6
                              and p.icmp_type >= 133):
            return      # what neighbours and groups say
        self.sent.append(p)
        answer = self.decide(p)
        if answer:
            self.flying += 1
            self.most = max(self.most, self.flying)
            self.waiting.append((time.monotonic() + self.late, self.framed(p, answer)))

    def framed(self, p, answer):
        kind = ETH_P_IP if p.family == 4 else ETH_P_IP6
        return [MAC[self.side] + struct.pack("!H", kind) + piece for piece in self.cut_up(answer)]

    def cut_up(self, answer):
        if not self.narrow or answer[0] >> 4 != 4 or len(answer) <= self.narrow:
            return [answer]
        body, step, out = answer[20:], (self.narrow - 20) // 8 * 8, []
        for off in range(0, len(body), step):
            piece = body[off:off + step]
            more = 0x2000 if off + step < len(body) else 0
            head = answer[:2] + struct.pack("!HHH", 20 + len(piece), 77, more | off // 8) + \
                answer[8:10] + b"\0\0" + answer[12:20]
            out.append(head[:10] + struct.pack("!H", summed(head)) + head[12:] + piece)
        return out

    def decide(self, p):
        for hop in range(1, self.hops + 1):
            if p.ttl == hop:
                return None if hop in self.silent else self.error(p, hop, "exceeded")
            if hop in self.mtu and p.len > self.mtu[hop] and p.df:
                told = self.told.get(hop, self.mtu[hop])
                return None if told is None else self.error(p, hop, "big", told)
        return None if self.deaf else self.arrived(p)

    def arrived(self, p):
        if p.proto == socket.IPPROTO_UDP and p.dport == 7:
            body = struct.pack("!HHHH", p.dport, p.sport, len(p.body), 0) + p.payload
            return self.packet(p, p.dst, p.proto, body, 6)
        if p.proto == socket.IPPROTO_UDP:
            return self.error(p, 0, "port")
        if p.proto == socket.IPPROTO_TCP:
            seq = struct.unpack("!I", p.body[4:8])[0]
            body = struct.pack("!HHIIBBHHH", p.dport, p.sport, 0, (seq + 1) & 0xffffffff,
                               0x50, 0x14, 0, 0, 0)
            return self.packet(p, p.dst, p.proto, body, 16)
        body = bytes([0 if p.family == 4 else 129, 0, 0, 0]) + p.body[4:]
        return self.packet(p, p.dst, p.proto, body, 2)

    def error(self, p, hop, what, mtu=0):
        kinds = {4: {"exceeded": (11, 0), "big": (3, 4), "port": (3, 3)},
                 6: {"exceeded": (3, 0), "big": (2, 0), "port": (1, 4)}}
        kind, code = kinds[p.family][what]
        quote = p.data
        if self.dnat and p.family == 4:
            quote = p.data[:16] + socket.inet_aton(self.dnat) + p.data[20:]
        quote = quote[:500] if p.family == 4 else quote[:1180]
        rest = struct.pack("!HH", 0, mtu) if p.family == 4 else struct.pack("!I", mtu)
        ext = self.labels(hop)
        if ext:
            quote = quote[:128].ljust(128, b"\0")
            words = 32 if p.family == 4 else 16
            rest = struct.pack("!BBH", 0, words, mtu) if p.family == 4 else \
                struct.pack("!BBH", words, 0, 0)
        body = bytes([kind, code, 0, 0]) + rest + quote + ext
        proto = socket.IPPROTO_ICMP if p.family == 4 else socket.IPPROTO_ICMPV6
        by = self.address(p, hop)
        if self.spread and hop == 2 and p.family == 4:
            by = f"10.0.2.{1 + p.sport % 2}"
        return self.packet(p, by, proto, body, 2, hop)

    def labels(self, hop):
        if hop not in self.mpls:
            return b""
        body = struct.pack("!HBBI", 8, 1, 1, self.mpls[hop] << 12 | 0x101)
        head = b"\x20\0\0\0"
        return struct.pack("!BBH", 0x20, 0, summed(head + body)) + body

    @staticmethod
    def address(p, hop):
        if not hop:
            return p.dst
        return f"10.0.0.{hop}" if p.family == 4 else f"fd00:9::{hop}"

    def packet(self, p, by, proto, body, at, hop=0):
        """An IP packet to where p came from, its checksum at body[at]."""
        ttl = self.back.get(hop, 65 - hop if hop else 64 - self.hops)
        if p.family == 4:
            ends = socket.inet_aton(by) + socket.inet_aton(p.src)
            pseudo = ends + struct.pack("!HH", proto, len(body)) if proto in (6, 17) else b""
        else:
            ends = socket.inet_pton(socket.AF_INET6, by) + socket.inet_pton(socket.AF_INET6, p.src)
            pseudo = ends + struct.pack("!II", len(body), proto)
        zeroed = body[:at] + b"\0\0" + body[at + 2:]
        body = body[:at] + struct.pack("!H", summed(pseudo + zeroed)) + body[at + 2:]
        if p.family == 6:
            return struct.pack("!IHBB", 6 << 28, len(body), proto, ttl) + ends + body
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, ttl, proto, 0)
        return head[:10] + struct.pack("!H", summed(head + ends)) + ends + body


class Ran:
    """What it printed, its status, and the packets that left."""

    def __init__(self, p, net, took):
        self.status, self.took = p.returncode, took
        self.out, self.err = p.stdout.decode("latin-1"), p.stderr.decode("latin-1")
        self.sent, self.most = list(net.sent), net.most
        self.names = [s for s in self.sent if s.dport == 53 and s.dst not in (DST4, DST6)]
        self.probes = [s for s in self.sent if s not in self.names]
        self.all = f"status {self.status}\n{self.out}{self.err}" + "".join(
            f"ttl {s.ttl} len {s.len} {s.src}.{s.sport} > {s.dst}.{s.dport}\n"
            for s in self.probes[:40])

    @property
    def records(self):
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]

    def of(self, kind):
        return [r for r in self.records if r["type"] == kind]


def path(*args, side="v", to=DST4, numeric=True, **how):
    """sockpath through a net of its own, to the end."""
    words = [SOCKPATH, *(["-n"] if numeric else []), *map(str, args), *([to] if to else [])]
    with Net(side, **how) as net:
        start = time.monotonic()
        p = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True,
                           timeout=DEADLINE, check=False)
        return Ran(p, net, time.monotonic() - start)


def enter():
    sockbed.enter(*SETUP)
    for name in ("v0", "v1", "w0", "w1"):
        subprocess.run(["ethtool", "-K", name, "tx", "off", "rx", "off", "gso", "off",
                        "tso", "off"], capture_output=True, check=False)
