#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sock --request, against peers written from the description of its head in
sock(1): what is asked, asked again, checked, and told."""
import json
import re
import socket
import struct
import time

import sockbed
from sockbed import Live, Peer, closed, echo, sock
from tap import done, ok

sockbed.enter()


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def head(data):
    """kind, copy number, copies, id, seen; None if it is no head."""
    if len(data) < 24 or data[:5] != b"SKYR\1" or crc32c(data[:20]) != struct.unpack(">I", data[20:24])[0]:
        return None
    return struct.unpack(">BBBQI", data[5:20])


def reply(data, copies, seen):
    h = head(data)
    new = b"SKYR\1" + struct.pack(">BBBQI", 1, h[1], copies, h[3], seen)
    return new + struct.pack(">I", crc32c(new)) + data[24:]


class Plan(Peer):
    """Does what plan(peer, data, sender, n) says with the nth datagram."""

    def __init__(self, address, plan):
        self.times = []
        super().__init__(address, 0, lambda data: self.act(data))
        self.plan = plan

    def act(self, data):
        self.times.append(time.monotonic())
        self.plan(self, data, self.got[-1][1], len(self.got))

    def say(self, data, sender):
        self.socket.sendto(data, sender)


def records(r, kind):
    return [d for d in map(json.loads, r.out.splitlines()) if d["type"] == kind]


def ask(port, *args, host="127.0.0.1", **more):
    return sock("-u", "--request", "--rto", "40ms", *args, host, port, **more)


for host in ("127.0.0.1", "::1"):
    text = b"one\n\ntwo " + b"x" * 3000 + b"\nno newline at the end"
    p = echo(host)
    r = ask(p.port, host=host, input=text)
    ok(r.stdout == text and r.returncode == 0, host + ": what was asked comes back, line by line", r.all)
    asked = [d[24:] for d, _ in p.got]
    ok(b"".join(asked) == text and asked[0] == b"one\n" and asked[1] == b"\n" and len(asked[2]) == 1024,
       host + ": a request is a line, or a piece of -r bytes", asked)
    heads = [head(d) for d, _ in p.got]
    ok(all(h and h[:3] == (0, 1, 0) and h[4] == 0 for h in heads) and len({h[3] for h in heads}) == len(heads),
       host + ": each has a head of its own", heads)
r = ask(echo("127.0.0.1").port, "-i", "-n3", "-w0", "--json")
ok(r.returncode == 0 and records(r, "requests")[0]["answered"] == 3, "requests without data", r.all)
r = ask(echo("::1").port, "-i", "-n1", "-w65503", "--json", host="::1")
ok(r.returncode == 0 and records(r, "requests")[0]["answered"] == 1, "the largest request", r.all)


def third(p, data, sender, n):      # copy 1 lost, copy 2's reply lost
    if n == 3:
        p.say(reply(data, 2, 6), sender)


p = Plan("127.0.0.1", third)
r = ask(p.port, "-i", "-n1", "-w5", "--json", "-v")
got = records(r, "requests")[0]
ok(r.returncode == 0 and (got["lost_request"], got["lost_reply"], got["lost_untold"], got["again"]) == (1, 1, 0, 2),
   "the peer tells which was lost", r.all)
ok("copy 1 lost on the way there" in r.err and "copy 2 its reply lost on the way back" in r.err,
   "each loss has a line", r.all)
ok([head(d)[1] for d, _ in p.got] == [1, 2, 3] and len({head(d)[3] for d, _ in p.got}) == 1,
   "copies have one id and their numbers")
gaps = [b - a for a, b in zip(p.times, p.times[1:])]
ok(gaps[0] > 0.039 and gaps[1] > 0.078, "the timer doubles", gaps)
ok(records(r, "summary")[0]["fates"] == {"answered": 1, "sent": 2}, "each copy is in the summary", r.all)
p = Plan("127.0.0.1", lambda p, data, sender, n: n == 2 and p.say(data, sender))
r = ask(p.port, "-i", "-n1", "--json")
got = records(r, "requests")[0]
ok("lost_request" not in got and "lost_reply" not in got and got["lost_untold"] == 1 and r.returncode == 0,
   "what a plain echo cannot tell is not told as 0", r.all)
p = Plan("127.0.0.1", lambda p, data, sender, n: n == 2 and p.say(data, sender))
r = sock("-u", "--request", "-i", "-n1", "127.0.0.1", p.port)
ok(r.returncode == 0 and 0.99 < p.times[1] - p.times[0] < 3, "without --rto the first timer is a second", r.all)


def plan_of(*answers):
    """The nth datagram gets the answers of the nth item."""
    def plan(p, data, sender, n):
        for make in answers[n - 1] if n <= len(answers) else ():
            p.say(make(data), sender)
    return plan


same = lambda d: d                                       # noqa: E731
other = lambda d: d[:-1] + bytes([d[-1] ^ 1])            # noqa: E731
hurt = lambda d: d[:12] + bytes([d[12] ^ 1]) + d[13:]    # noqa: E731
p = Plan("127.0.0.1", plan_of([same, same], [same]))
r = ask(p.port, "-i", "-n2", "--json", "-v")
ok(records(r, "summary")[0]["fates"] == {"answered": 2, "duplicated": 1}
   and len(re.findall("duplicated", r.err)) >= 1, "a second answer is a duplicate", r.all)
p = Plan("127.0.0.1", plan_of([other, hurt], [same]))
r = ask(p.port, "-i", "-n1", "-w5", "--json", "-v")
got = records(r, "requests")[0]
ok([f["fate"] for f in records(r, "fate")] == ["corrupted", "corrupted", "answered"] and got["again"] == 1
   and "its reply damaged" in r.err and r.returncode == 3, "damaged answers are no answers", r.all)
p = Plan("127.0.0.1", plan_of([lambda d: b"hello", same]))
r = ask(p.port, "-i", "-n1", "--json")
ok([f["fate"] for f in records(r, "fate")] == ["stray", "answered"], "what answers no request is a stray", r.all)
aside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
aside.bind(("127.0.0.2", 0))


def elsewhere(p, data, sender, n):
    aside.sendto(data, sender)
    if n == 2:
        p.say(data, sender)


p = Plan("127.0.0.1", elsewhere)
r = ask(p.port, "-i", "-n1", "--json", "-v")
got = [f for f in records(r, "fate") if f["fate"] == "stray"]
ok(got and got[0]["dst"] == got[0]["by"] == "127.0.0.2" and "came from another address" in r.err
   and records(r, "requests")[0]["again"] == 1, "the answer of another address is none, and is told", r.all)


def too_late(p, data, sender, n):
    if n == 2:
        p.say(p.got[0][0], sender)
        p.say(data, sender)


p = Plan("127.0.0.1", too_late)
r = ask(p.port, "-i", "-n2", "--tries", "1", "--json")
ok([f["fate"] for f in records(r, "fate")] == ["silent", "late", "answered"]
   and records(r, "summary")[0]["fates"] == {"answered": 2, "late": 1}, "an answer after the end is late", r.all)


def in_vain(p, data, sender, n):
    if n == 2:
        p.say(reply(p.got[0][0], 1, 1), sender)
        p.say(reply(data, 2, 3), sender)


r = ask(Plan("127.0.0.1", in_vain).port, "-i", "-n1", "--json")
got = records(r, "requests")[0]
ok((got["answered"], got["needless"], got["lost_request"], got["lost_reply"]) == (1, 1, 0, 0),
   "a slow answer: the second copy was in vain", r.all)

# --- the dead ---
dead, live = closed("127.0.0.1"), echo("127.0.0.1")
start = time.monotonic()
r = sock("-u", "--request", "-i", "-n3", "--json", "127.0.0.1", dead, "127.0.0.1", live.port)
ok(r.returncode == 3 and time.monotonic() - start < 0.9
   and [(d["dport"], d["answered"], d["again"]) for d in records(r, "requests")] == [(dead, 0, 0), (live.port, 3, 0)],
   "a dead server is known at once, and does not hold up a live one", r.all)
mute = Plan("127.0.0.1", lambda *a: None)
r = ask(mute.port, "--tries", "2", input=b"a\nb\n")
ok(r.returncode == 3 and len(mute.got) == 4 and len(re.findall(r"silent, .*2 datagrams", r.err)) == 2,
   "each line is given up after its tries", r.all)
live = Live("-u", "--request", "127.0.0.1", Plan("127.0.0.1", lambda *a: None).port)
live.type(b"x\n")
ok(live.await_text("sent again") and live.end() == 0 and "requests to" in live.err, "Ctrl-C ends it, with the summary",
   live.err)

# --- errors that somebody made up, and a true one ---
def checksum(data):
    total = sum(struct.unpack("!%dH" % ((len(data) + 1) // 2), data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def forge(sport, dport, payload):
    """Port unreachable from loopback, about a datagram with this payload."""
    a = socket.inet_aton("127.0.0.1")
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 1, 0, 64, 17, 0, a, a)
    body = bytes(4) + ip + struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    raw.sendto(b"\3\3" + struct.pack("!H", checksum(b"\3\3\0\0" + body)) + body, ("127.0.0.1", 0))


raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
CASES = (("another id", lambda d: d[:8] + bytes(8) + d[16:], "unknown", {"answered": 1, "sent": 1, "stray": 1}),
         ("another text", lambda d: b"made up by a stranger", "mismatch", {"answered": 1, "sent": 1, "stray": 1}),
         ("other data", lambda d: d[:-1] + b"!", "mismatch", {"answered": 1, "sent": 1, "stray": 1}),
         ("eight bytes", lambda d: d[:8], "short", {"answered": 1, "refused": 1}),
         ("the request", lambda d: d, "matched", {"refused": 1}))
for name, quote, trust, fates in CASES:
    def forger(p, data, sender, n):
        if n == 1:
            forge(sender[1], p.port, quote(data))
        else:
            p.say(data, sender)
    r = ask(Plan("127.0.0.1", forger).port, "-i", "-n1", "-w20", "--json")
    told = [f for f in records(r, "fate") if f["fate"] == "refused"]
    ok(told and told[0]["trust"] == trust and records(r, "summary")[0]["fates"] == fates
       and records(r, "requests")[0]["again"] == (trust != "matched"), "an error that quotes %s: %s" % (name, trust), r.all)

# --- bad input ---
for args, say in ((("-u", "--tries", "2", "h", "7"), "--request"), (("-u", "--rto", "1", "h", "7"), "--request"),
                  (("-u", "--request", "--tries", "33", "h", "7"), "33"),
                  (("-u", "--request", "--tries", "0", "h", "7"), "0"),
                  (("-u", "--request", "--rto", "0", "h", "7"), "0"),
                  (("-u", "--request", "--rto", "2min", "h", "7"), "2min"),
                  (("--request", "127.0.0.1", "7"), "-u"), (("-u", "-s", "--request", "7"), "client"),
                  (("-u", "--request", "--errors", "none", "127.0.0.1", "7"), "--errors"),
                  (("-u", "--request", "-i", "-w65484", "127.0.0.1", "7"), "65483")):
    r = sock(*args)
    ok(r.returncode == 2 and r.err.count("\n") == 1 and say in r.err, "refused: " + " ".join(args), r.all)
done()
