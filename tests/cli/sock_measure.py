#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sock --measure against a reflector and a sender of STAMP written here from
RFC 8762 and 8972, not from ours; its options; garbage; several at once."""
import json
import os
import random
import re
import select
import signal
import socket
import struct
import tempfile
import time

import sockbed
from sockbed import Live, sock
from tap import done, ok

sockbed.enter("-6 addr add fd00::1/64 dev lo nodad")
EPOCH = 2208988800  # NTP counts from 1900


def ntp(t=None):
    t = time.time_ns() if t is None else t
    return struct.pack(">II", (t // 10**9 + EPOCH) & 0xffffffff, (t % 10**9 << 32) // 10**9)


def seconds(data):
    s, f = struct.unpack(">II", data)
    return s - EPOCH + f / 2**32


class Reflector(sockbed.Peer):
    """RFC 8762, 4.3. state: numbers of its own; lose: probes not answered; ptp:
    the other time format; cut: base packet alone (a reflector without RFC 8972)."""

    def __init__(self, state=True, lose=(), ptp=False, cut=False, hurt=()):
        self.state, self.lose, self.ptp, self.cut, self.hurt = state, lose, ptp, cut, hurt
        self.count, self.short, self.seen, self.bad = 0, 0, [], []
        super().__init__("127.0.0.1", reply=self.reflect)

    def time(self):
        t = time.time_ns()
        return struct.pack(">II", t // 10**9, t % 10**9) if self.ptp else ntp(t)

    def reflect(self, data):
        came = self.time()
        if len(data) < 44:
            self.short += 1
            return None
        seq, stamp, error, ssid = struct.unpack(">I8sHH", data[:16])
        if any(data[16:44]) or not error & 0xff or abs(seconds(stamp) - time.time()) > 60:
            self.bad.append(data[:44])
        if len(data) >= 48 and data[44:46] != b"\x80\1":
            self.bad.append(data[44:48])
        self.seen.append((seq, len(data)))
        if seq in self.lose:
            return None
        mine = self.count if self.state else seq
        self.count += 1
        out = struct.pack(">I8sHH8sI8sHHBBH", mine & 0xffffffff, self.time(), 0x4001 if self.ptp else 1,
                          ssid, came, seq, stamp, error, 0, 64, 0, 0)
        rest = b"" if self.cut else data[44:]
        if len(rest) >= 4:
            rest = bytes([rest[0] & 0x7f]) + rest[1:]
        if seq in self.hurt:
            rest = rest[:-1] + bytes([rest[-1] ^ 1])
        return out + rest


def summary(run):
    last = [json.loads(x) for x in run.out.splitlines()][-1]
    return last, {d["direction"]: d for d in last.get("directions", [])}


# --- our sender, their reflector ---
for situation, kind in (("numbers of its own", {}), ("no numbers of its own", {"state": False}),
                        ("times in the PTP format", {"ptp": True}), ("no padding back", {"cut": True})):
    them = Reflector(lose=(3, 4, 50), **kind)
    r = sock("-u", "--measure", "-n", 100, "--size", "44..300", "--wait", "0.2", "--json", "-v",
             "127.0.0.1", them.port)
    last, d = summary(r)
    ok(not them.bad and [s for s, _ in them.seen] == list(range(100)) and
       len({n for _, n in them.seen}) == 16, "a reflector of STAMP with %s: what it gets is right" % situation,
       (them.bad[:2], them.seen[:9], r.all))
    ok(them.short == 4 and last["reported"] is False and d["round"]["received"] == 97 and
       d["round"]["loss"] == {"host": 0, "unexplained": 3} and d["out"]["loss"] == {"host": 0} and
       "received" not in d["out"] and d["out"]["sent"] == 100 and "loss" in d["back"] and
       not d["back"]["loss"] and r.returncode == 3,
       "a reflector of STAMP with %s: what it cannot know is not told" % situation, r.all)
    ok(0 < d["round"]["delay_ns"]["min"] < 10**9 and d["out"]["delay_ns"]["count"] == 97 and
       abs(d["out"]["delay_ns"]["median"] + d["back"]["delay_ns"]["median"]) < 10**9,
       "a reflector of STAMP with %s: delays both ways" % situation, r.out)
ok(len(re.findall("not told by peer", r.err)) >= 5 and "0  lost in the network" not in r.err,
   "for people it is `not told by peer`, never 0", r.err)
them = Reflector(hurt=(7, 8))
r = sock("-u", "--measure", "-n", 20, "--size", 100, "--wait", "0.1", "--json", "127.0.0.1", them.port)
ok(summary(r)[1]["round"]["corrupted"] == 2, "padding that comes back changed is corrupted", r.all)
clean = Reflector()
r = sock("-u", "--measure", "-n", 20, "--size", 44, "--json", "127.0.0.1", clean.port)
ok(r.returncode == 0 and clean.count == 20, "all came back: status 0", r.all)

echo = sockbed.Peer("127.0.0.1", reply=lambda data: data)
for n in (44, 100):
    r = sock("-u", "--measure", "-n", 20, "--size", n, "--wait", "0.1", "127.0.0.1", echo.port)
    ok(r.err.count("echo service, not a STAMP reflector") == 1 and "min" not in r.err and
       "both   20 sent, 0 received, 0 duplicated, 0 reordered, 0 late, 0 corrupted" in r.err and
       r.returncode == 3, "an echo service is told as that, %d bytes: no delays made of zeros" % n, r.all)

# --- their sender, our reflector ---
def await_port(port):
    end = time.monotonic() + 5
    while sockbed.queue(port) is None and time.monotonic() < end:
        select.select([], [], [], 0.001)


told = tempfile.NamedTemporaryFile()
mirror = Live("-u", "-s", "--measure", "--json=" + told.name, "7777")
await_port(7777)


def probe(seq, ssid=0, tlvs=b"", stamp=None):
    return struct.pack(">I8sHH28x", seq, stamp or ntp(), 1, ssid) + tlvs


def ask(s, data, to):
    s.sendto(data, to)
    return s.recv(70000) if select.select([s], [], [], 5)[0] else None


for family, to in ((socket.AF_INET, ("127.0.0.1", 7777)), (socket.AF_INET6, ("::1", 7777))):
    s = socket.socket(family, socket.SOCK_DGRAM)
    ttl = (socket.IPPROTO_IP, socket.IP_TTL) if family == socket.AF_INET else \
        (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)
    s.setsockopt(*ttl, 77)
    wrong = []
    odd = bytes(range(1, 9))  # a time whose last bits must come back as they are
    for i, tlvs, want in (
            (0, b"", b""), (1, b"\0" * 20, b"\0" * 20), (2, b"\x80\1\0\4abcd", b"\0\1\0\4abcd"),
            (3, b"\x80\xf3\0\2xy\x80\1\0\0", b"\x80\xf3\0\2xy\0\1\0\0"),
            (9, b"\x80\1\0\x09abc", b"\x40\1\0\x09abc"), (4, b"\x80\1", b"\x80\1")):
        p = probe(i, 0x1234, tlvs, odd if i == 4 else None)
        a = ask(s, p, to)
        if a is None or len(a) != len(p):
            wrong.append((i, a))
            continue
        mine, sent, error, ssid, came, seq, stamp, theirs, mbz, hops, z = struct.unpack(
            ">I8sHH8sI8sHHB3s", a[:44])
        if (seq, stamp, theirs, mbz, hops, z, ssid) != (i, p[4:12], 1, 0, 77, b"\0\0\0", 0x1234):
            wrong.append((i, a[:44]))
        if not error & 0xff or abs(seconds(came) - time.time()) > 5 or seconds(sent) < seconds(came):
            wrong.append((i, "times", a[:44]))
        if a[44:] != want:
            wrong.append((i, "tlvs", a[44:]))
        if mine != len([x for x in (0, 1, 2, 3, 9, 4) if (0, 1, 2, 3, 9, 4).index(x) < (0, 1, 2, 3, 9, 4).index(i)]):
            wrong.append((i, "its own number", mine))
    ok(not wrong, "a sender of STAMP is answered as RFC 8762 and 8972 say, %s" % to[0], wrong)
    s.close()

# --- garbage ---
random.seed(4)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
to = ("127.0.0.1", 7777)
MAGIC = b"\xffskytaly"
for i in range(3000):
    n = random.choice((0, 1, 7, 8, 19, 20, 43, 44, 45, 48, 52, 100, 276, 2000))
    data = random.randbytes(n)
    if i % 3 == 0:
        data = (MAGIC + bytes([1, random.randrange(8), 0, random.randrange(40)]) + data)[:n]
    elif i % 3 == 1 and n > 44:
        data = probe(random.getrandbits(32), random.getrandbits(16)) + data[44:]
    s.sendto(data, to)
while select.select([s], [], [], 0)[0]:
    s.recv(70000)
good = sock("-u", "--measure", "-n", 50, "--size", 60, "--json", "127.0.0.1", 7777)
last, d = summary(good)
ok(good.returncode == 0 and d["out"]["received"] == 50 and mirror.p.poll() is None,
   "garbage does not end a mirror, and it serves on", good.all)
wild = sockbed.Peer("127.0.0.1", reply=lambda data: random.randbytes(random.randrange(200)))
r = sock("-u", "--measure", "-n", 200, "--size", 60, "--wait", "0.1", "--json", "127.0.0.1", wild.port)
ok(r.returncode == 3 and summary(r)[1]["round"]["received"] == 0, "a mirror that answers garbage: nothing was received", r.all)
backwards = sockbed.Peer("127.0.0.1", reply=lambda data: data[::-1] if len(data) > 43 else MAGIC + data[8:])
r = sock("-u", "--measure", "-n", 50, "--size", 60, "--wait", "0.1", "--json", "127.0.0.1", backwards.port)
ok(r.returncode in (0, 3), "its own messages sent back to it do no harm", r.all)

def drops(port):
    out = 0
    for name in ("/proc/net/udp", "/proc/net/udp6"):
        for line in open(name).readlines()[1:]:
            f = line.split()
            out += int(f[12]) if int(f[1].rpartition(":")[2], 16) == port else 0
    return out


# --- several at once, and the end of a mirror ---
many = [Live("-u", "--measure", "-n", 200, "--rate", "500", "--size", 44 + i, "--json", a, "7777")
        for i, a in enumerate(("127.0.0.1", "::1", "fd00::1", "127.0.0.1", "::1", "127.0.0.1"))]
states = [m.end(None) for m in many]
ways = [summary(m)[1]["out"] for m in many]
lost = sum(w["loss"]["unexplained"] + w["loss"]["receiver-queue"] for w in ways)
# A busy machine may let the queue overflow: then nobody can tell whose were lost,
# but not one is called the network's.
ok(all(w["received"] + sum(w["loss"].values()) == 200 and not w["loss"]["network"] for w in ways) and
   lost <= drops(7777), "six at once: each is reported its own counts", (states, drops(7777), ways))
mirror.end()
ends = sorted(json.loads(x).get("received", 0) for x in open(told.name) if '"summary"' in x)
want = [w["received"] for w in ways]
ok(all(ends.count(n) >= want.count(n) for n in want), "the mirror tells each session", (want, ends))
ok("not of a measurement" in mirror.err, "strays are counted", mirror.err[-2000:])

# --- a slow reader: 2000 datagrams of 1400 bytes, two sizes of buffer ---
kept = []
for args in ((), ("-R", "225280")):
    for to in ("127.0.0.1", "::1"):
        slow = Live("-u", "-s", "--measure", "-v", "-P", "30", *args, "7777")
        slow.await_text("mirror for")
        near = Live("-u", "--measure", "-n", 2000, "--size", 1400, "--json", to, "7777")
        slow.await_text("has sent everything")
        counted = drops(7777)
        slow.end()
        near.end(None)
        w = summary(near)[1]["out"]
        kept.append(w["loss"]["unread"])
        ok(w["loss"] == {"host": 0, "network": 0, "receiver-queue": counted, "unread": 2000 - counted,
                         "unexplained": 0} and counted > 0,
           "a slow reader, %s %s: what its kernel counted" % (to, " ".join(args)), (counted, w))
ok(kept[2] > kept[0] and kept[3] > kept[1], "a larger buffer keeps more", kept)

# --- options ---
mirror = Live("-u", "-s", "--measure", "--interval", "0.1", "7777", "-v")
mirror.await_text("mirror for")
start = time.monotonic()
r = sock("-u", "--measure", "--rate", "1000", "-n", 500, "--size", 100, "--json", "127.0.0.1", 7777)
took = time.monotonic() - start
ok(0.499 < took < 5 and summary(r)[0]["sent"] == 500, "--rate 1000: 500 datagrams take half a second", took)
r = sock("-u", "--measure", "--rate", "800kbit", "--duration", "0.5", "--size", "100", "--json", "127.0.0.1", 7777)
ok(490 <= summary(r)[0]["sent"] <= 501, "--rate 800kbit of 100 bytes for half a second: 500", r.out)
r = sock("-u", "--measure", "--rate", "1k", "--burst", "50", "-n", 200, "--size", "52..1000/100", "--json", "127.0.0.1", 7777)
last = summary(r)[0]
ok(last["received"] == 200 and r.returncode == 0 and
   last["sizes"] == [{"len": 52 + 100 * i, "sent": 20, "received": 20} for i in range(10)],
   "--burst, and sizes in steps", r.all)
r = sock("-u", "--measure", "--rate", "1k", "-n", 400, "--interval", "0.1", "-w", 100, "--json", "-v", "127.0.0.1", 7777)
inter = [json.loads(x) for x in r.out.splitlines() if '"interval"' in x]
ok(4 <= len(inter) <= 6 and sum(i["sent"] for i in inter) == 400 and
   len(re.findall(r"^ +\d\.\d\d-\d\.\d\d s  \d+ sent", r.err, re.M)) == len(inter), "--interval tells what each brought", r.all)
ok(mirror.await_text(r"^ +0\.\d\d-0\.\d\d s  \d+ received"), "so does a mirror", mirror.err)
r = sock("-u", "--measure", "--one-way", "-n", 100, "-w", 100, "--json", "-v", "127.0.0.1", 7777)
last, d = summary(r)
ok(r.returncode == 0 and last["received"] == 0 and d["out"]["received"] == 100, "--one-way: nothing back but the report", r.all)
going = Live("-u", "--measure", "--rate", "500", "--duration", "60", "-w", "64", "--interval", "0.1", "--json", "-v", "127.0.0.1", "7777")
going.await_text("sent, 0 refused")
state = going.end()
ok(state == 0 and summary(going)[0]["reported"], "Ctrl-C ends the sending, and the report is asked for", going.err)
mirror.end()
r = sock("-u", "--measure", "-n", 3, "-w", 64, "--wait", "0.1", "--json", "-v", "127.0.0.1", 7777)
ok(r.returncode == 3 and "refused" in r.err and summary(r)[1]["round"]["loss"] ==
   {"host": 0, "network": 3, "unexplained": 0}, "nobody there: refused, and status 3", r.all)

for args, text in (
        (("-w", "43"), "expected 44 or more"), (("--size", "43"), "44 to 65507"),
        (("--size", "100..60"), "44 to 65507"), (("--size", "60..100/0"), "44 to 65507"),
        (("--size", "x"), "44 to 65507"), (("--rate", "0"), "10mbit"), (("--rate", "10mbits"), "10mbit"),
        (("--rate", "bit"), "10mbit"), (("--burst", "2"), "belongs to --rate"), (("-p", "1"), "mirror"),
        (("--errors", "none"), "error queue")):
    r = sock("-u", "--measure", *args, "127.0.0.1", 7777)
    ok(r.returncode == 2 and text in r.err and r.err.count("\n") == 1, "%s: refused in one line" % " ".join(args), r.all)
for args, text in ((("-u", "--rate", "5", "127.0.0.1", 7777), "belong to --measure"),
                   (("--measure", "127.0.0.1", 7777), "needs -u"),
                   (("-u", "--measure", "127.0.0.1", 7777, "127.0.0.1", 7778), "one destination"),
                   (("-u", "-s", "--measure", "-T", "7777"), "exclude each other")):
    r = sock(*args)
    ok(r.returncode == 2 and text in r.err, "%s: refused" % " ".join(map(str, args)), r.all)
first = Live("-u", "-s", "--measure", "-v", "7777")
first.await_text("mirror for")
r = sock("-u", "-s", "--measure", "7777")
ok(r.returncode == 1 and "bind" in r.err, "a second mirror at the same port is refused", r.all)
first.end()
done()
