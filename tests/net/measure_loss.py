#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sock --measure: losses at a qdisc, in a router, at a full queue and unread at
close, all in one run; each class is what the kernel at that place counted, and
nothing is unexplained. MEASURE_ROUNDS says how many runs (100)."""
import json
import os
import re
import select
import signal
import subprocess
import time

from kit import netns, tap

SOCK = os.path.join(os.environ["SOCKEYE_BUILD"], "prog/sock/sock")
ROUNDS = int(os.environ.get("MEASURE_ROUNDS", "100"))
N, SIZE = 2000, 1400
t = tap.Tap(300)
netns.isolate()
client, router, server = (netns.Ns() for _ in range(3))
netns.veth(client, "c0", router, "r0")
netns.veth(router, "r1", server, "s0")
client.ip("addr add 10.1.0.2/24 dev c0", "-6 addr add fd01::2/64 dev c0 nodad",
          "route add default via 10.1.0.1", "-6 route add default via fd01::1")
router.ip("addr add 10.1.0.1/24 dev r0", "addr add 10.2.0.1/24 dev r1",
          "-6 addr add fd01::1/64 dev r0 nodad", "-6 addr add fd02::1/64 dev r1 nodad")
server.ip("addr add 10.2.0.2/24 dev s0", "-6 addr add fd02::2/64 dev s0 nodad",
          "route add default via 10.2.0.1", "-6 route add default via fd02::1")
netns.forwards(router)
netns.meet(client, "10.2.0.2", server)
netns.meet(client, "fd02::2", server)

# Test packets, not messages, go through the slow band.
TC = """qdisc add dev c0 root handle 1: htb default 2
class add dev c0 parent 1: classid 1:1 htb rate 150mbit
class add dev c0 parent 1: classid 1:2 htb rate 8gbit quantum 20000
qdisc add dev c0 parent 1:1 handle 10: pfifo limit 50
filter add dev c0 parent 1: protocol ip u32 match u16 1428 0xffff at 2 flowid 1:1
filter add dev c0 parent 1: protocol ipv6 prio 2 u32 match u16 1408 0xffff at 4 flowid 1:1
"""


def qdisc_drops():
    out = json.loads(client.run(["tc", "-s", "-j", "qdisc", "show", "dev", "c0"]))
    return sum(q.get("drops", 0) for q in out if q["kind"] == "pfifo")


def counters(ns):
    out = json.loads(ns.run(["nft", "-j", "list", "counters"]))
    return {c["counter"]["name"]: c["counter"]["packets"] for c in out["nftables"] if "counter" in c}


def queue_drops():
    """RcvbufErrors, of this namespace so far."""
    with server:
        with open("/proc/thread-self/net/snmp") as f:
            rows = [line.split() for line in f if line.startswith("Udp:")]
        with open("/proc/thread-self/net/snmp6") as f:
            six = [line.split()[1] for line in f if line.startswith("Udp6RcvbufErrors ")]
    return int(rows[1][rows[0].index("RcvbufErrors")]) + int(six[0])


def setup(there, back):
    client.run(["tc", "-batch", "-"], "qdisc del dev c0 root\n" + TC if setup.done else TC)
    setup.done = True
    router.run(["nft", "-f", "-"], """flush ruleset
table inet t { counter there { }
 counter back { }
 chain f { type filter hook forward priority 0;
 iifname r0 udp length 1408 numgen inc mod %d == 0 counter name there drop
 iifname r1 udp length 1408 numgen inc mod %d == 0 counter name back drop
 }
}""" % (there, back))
    server.run(["nft", "-f", "-"], """flush ruleset
table inet t { counter came { }
 counter left { }
 chain i { type filter hook input priority 0; udp length 1408 counter name came; }
 chain o { type filter hook output priority 0; udp length 1408 counter name left; }
}""")


setup.done = False


class Live:
    def __init__(self, ns, *args):
        with ns:
            self.p = subprocess.Popen([SOCK, "-u", "--measure", *map(str, args)], text=False,
                                      stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        self.err = b""

    def wait_for(self, pattern, seconds=15):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.err):
            if not select.select([self.p.stderr], [], [], max(0, end - time.monotonic()))[0]:
                return False
            data = os.read(self.p.stderr.fileno(), 65536)
            if not data:
                return False
            self.err += data
        return True

    def end(self, sig=None):
        if sig:
            self.p.send_signal(sig)
        try:
            out, err = self.p.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.p.kill()
            out, err = self.p.communicate()
        self.err += err
        return [json.loads(line) for line in out.splitlines()]


def run(number):
    """One run. Returns what is wrong, or nothing; and the losses."""
    address = ("10.2.0.2", "fd02::2")[number % 2]
    closes = number % 3 != 2
    setup(7 + number % 5, 3 + number % 4)
    far = Live(server, "-s", "-v", "-R", 30000, "-P", 30 if closes else 0.2, 9)
    far.wait_for(b"mirror for")
    before = queue_drops()
    near = Live(client, "-n", N, "--size", SIZE, "--json", "-v", address, 9)
    far.wait_for(b"has sent everything")
    if closes:
        far.end(signal.SIGINT)
    summary = [r for r in near.end() if r["type"] == "summary"]
    if not closes:
        far.end(signal.SIGINT)
    drops = queue_drops() - before
    r, s = counters(router), counters(server)
    there, back = ({d["direction"]: d for d in summary[-1]["directions"]}[w] for w in ("out", "back"))
    kept = s["came"] - drops
    want = {"host": qdisc_drops(), "network": r["there"], "receiver-queue": drops,
            "unread": kept if closes else 0, "unexplained": 0}
    want_back = {"host": 0, "network": r["back"], "receiver-queue": 0, "unread": 0, "unexplained": 0}
    wrong = []
    for what, is_, should in (("there", there["loss"], want), ("back", back["loss"], want_back),
                              ("sent", there["sent"], N), ("sent back", back["sent"], s["left"]),
                              ("received", there["received"], 0 if closes else kept),
                              ("sum", there["received"] + sum(there["loss"].values()), N),
                              ("status", near.p.returncode, 3)):
        if is_ != should:
            wrong.append("run %d: %s: %s, not %s\n%s%s" % (number, what, is_, should,
                         near.err.decode(), far.err.decode()))
    return wrong, want, want_back


bad, sums = [], {}
for i in range(ROUNDS):
    wrong, *truth = run(i)
    bad += wrong[:1]
    for losses in truth:
        for k, v in losses.items():
            sums[k] = sums.get(k, 0) + v
t.ok(not bad, "%d of %d runs: each loss is counted where it happened" % (ROUNDS - len(bad), ROUNDS),
       "\n# ".join("\n".join(bad[:3]).splitlines()))
t.ok(all(sums[k] > ROUNDS for k in ("host", "network", "receiver-queue", "unread")),
       "all four happened", sums)
print("# truth, all runs: %s" % sums)
t.done()
