#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sock: ICMP errors that somebody made up are told as such and count for nothing."""
import json
import re
import socket
import struct

import sockbed
from sockbed import Live, discard
from tap import done, ok, skip_all

sockbed.enter()
try:
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
except PermissionError:
    skip_all("raw sockets are not allowed here")


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def forge(sport, dport, payload):
    """Port unreachable from loopback, about a datagram with this payload."""
    a = socket.inet_aton("127.0.0.1")
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 1, 0, 64, 17, 0, a, a)
    udp = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    body = struct.pack("!I", 0) + ip + udp + payload
    icmp = struct.pack("!BBH", 3, 3, 0) + body
    raw.sendto(icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:], ("127.0.0.1", 0))


live = discard("127.0.0.1")
CASES = ((b"made up by me", "mismatch", "does not match", "sent"), (b"hel", "short", "too short", "refused"),
         (b"hello, world\n", "matched", "refused", "refused"))
for i, (payload, trust, words, fate) in enumerate(CASES):
    p = Live("-u", "-v", "--json=2", "127.0.0.1", live.port)
    p.await_text("connected on")
    sport = int(re.search(r"connected on 127\.0\.0\.1\.(\d+) to", p.err).group(1))
    p.type(b"hello, world\n")
    live.await_count(i + 1)
    forge(sport, live.port, payload)
    told = p.await_text('"trust":"%s"' % trust)
    ok(told and words in p.err, "a quote of %r is told as %s" % (payload, trust), p.err)
    p.end()
    total = json.loads([x for x in p.err.splitlines() if '"summary"' in x][0])
    ok(total["destinations"][0]["fates"].get(fate) == 1, "and the datagram counts as " + fate, total)
done()
