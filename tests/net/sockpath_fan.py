#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 300
"""sockpath --paths, --reverse and --cycles as an ordinary user over routers of the
kernel, which balance by a hash of addresses and ports and limit their errors as they
do by default. SKY_RUNS=N makes N runs of each instead of 12."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.environ["SOCKEYE_SRC"] + "/tests")
sys.path.insert(0, os.environ["SOCKEYE_SRC"] + "/tests/net")
from kit import netns  # noqa: E402
from tap import done, ok, skip, skip_all  # noqa: E402

SOCKPATH = os.environ["SOCKEYE_BUILD"] + "/prog/sockpath/sockpath"
RUNS = int(os.environ.get("SKY_RUNS", "12"))
LINKS = (("s", "r1"), ("r1", "a1"), ("a1", "a2"), ("a2", "r4"), ("r1", "b1"), ("b1", "b2"),
         ("b2", "r4"), ("r4", "d"))
# By which link's address each answers: that of the way back.
TRUE = {("r1", "a1"), ("a1", "a2"), ("a2", "r4"), ("r1", "b1"), ("b1", "b2"), ("b2", "r4"),
        ("r4", "d"), ("s", "r1")}


class Fan:
    """s - r1 - (a1 - a2 | b1 - b2) - r4 - d; by default the a branch carries 1500."""

    def __init__(self, narrow=1500, back=1500):
        self.ns = {n: netns.Ns() for n in ("s", "r1", "a1", "a2", "b1", "b2", "r4", "d")}
        self.owner = {}
        for i, (a, b) in enumerate(LINKS):
            self.link(i, a, b)
        for a, b in ((("a1", "a2")), (("a2", "a1"))):
            self.ns[a].ip("link set %s%s mtu %d" % (a, b, narrow))
        for n in ("r1", "a1", "a2", "b1", "b2", "r4"):
            self.ns[n].sysctl("net.ipv4.ip_forward", 1)
            self.ns[n].sysctl("net.ipv6.conf.all.forwarding", 1)
        for n in ("r1", "r4"):
            self.ns[n].sysctl("net.ipv4.fib_multipath_hash_policy", 1)
            self.ns[n].sysctl("net.ipv6.fib_multipath_hash_policy", 1)
        self.routes()
        if back < 1500:             # of what it sends there, not of what it takes in
            self.ns["r1"].ip("route replace 10.77.0.0/24 dev r1s mtu lock %d" % back,
                             "-6 route replace fd77:0::/64 dev r1s mtu lock %d" % back,
                             "-6 route replace fd77:0::1/128 dev r1s mtu lock %d" % back)

    def link(self, i, a, b):
        netns.veth(self.ns[a], a + b, self.ns[b], b + a)
        for k, (n, dev) in enumerate(((a, a + b), (b, b + a)), 1):
            host = "10.77.%d.%d" % (i, k)
            self.owner[host] = n
            self.owner["fd77:%x::%d" % (i, k)] = n
            self.ns[n].ip("addr add %s/24 dev %s" % (host, dev),
                          "-6 addr add fd77:%x::%d/64 dev %s nodad" % (i, k, dev))

    def via(self, n, to, *links):
        for six in (False, True):
            hops = "".join(" nexthop via " + ("fd77:%x::%d" if six else "10.77.%d.%d") % x
                           for x in links)
            self.ns[n].ip(("-6 " if six else "") + "route add " + ("fd77:%x::/64" if six else
                          "10.77.%d.0/24") % to + hops)

    def routes(self):
        """To d (net 7) forwards, to s (net 0) back by the b branch."""
        self.via("s", 7, (0, 2))
        self.via("d", 0, (7, 1))
        self.via("r1", 7, (1, 2), (4, 2))
        for n, there, back in (("a1", (2, 2), (1, 1)), ("a2", (3, 2), (2, 1)),
                               ("b1", (5, 2), (4, 1)), ("b2", (6, 2), (5, 1))):
            self.via(n, 7, there)
            self.via(n, 0, back)
        self.via("r4", 0, (6, 1))
        for i in range(RUNS + 3):   # a bucket of its own for each run
            self.ns["s"].ip("addr add 10.77.0.%d/24 dev sr1" % (10 + i))

    def run(self, *args, timeout=60):
        """As nobody, who has no name outside of this user namespace either."""
        with self.ns["s"]:
            r = subprocess.run([SOCKPATH, "-n", "--json"] + [str(a) for a in args],
                               capture_output=True, text=True, timeout=timeout)
        r.records = [json.loads(x) for x in r.stdout.splitlines()]
        return r


def of(r, kind):
    return [x for x in r.records if x["type"] == kind]


def graph(fan, r):
    """Routers that were found, links that were claimed."""
    nodes = {n["node"]: fan.owner.get(n.get("by"), "s" if n["hop"] == 0 else "*")
             for n in of(r, "node")}
    return set(nodes.values()), {(nodes[x["from"]], nodes[x["to"]])
                                 for x in of(r, "link") if x["sure"]}


def balanced():
    fan = Fan()
    full = packets = 0
    false, most, bad = [], 0, []
    for i in range(RUNS):
        r = fan.run("--paths", "-s", "10.77.0.%d" % (10 + i), "10.77.7.2")
        found, links = graph(fan, r)
        full += {"a1", "a2", "b1", "b2"} <= found
        false += [x for x in links if x not in TRUE]
        sent = of(r, "paths")[0]["sent"]
        packets, most = packets + sent, max(most, sent)
        bad += [r.stderr] if r.returncode else []
    print("# kernel routers, default limits: all 4 in %d of %d runs, %d false links, %.1f packets "
          "on average, at most %d" % (full, RUNS, len(false), packets / RUNS, most))
    ok(full * 100 >= RUNS * 80, "both ways are found behind a hash of the kernel", r.stdout)
    ok(not false, "no link is claimed that is not there", false)
    ok(packets <= 90 * RUNS, "at most 90 packets", packets / RUNS)
    ok(not bad, "an ordinary user may", bad[:1])


def branches():
    fan = Fan(narrow=1400)
    both = 0
    for i in range(RUNS):
        r = fan.run("--paths", "-s", "10.77.0.%d" % (10 + i), "10.77.7.2")
        mtus = {b.get("pmtu") for b in of(r, "branch")
                if b["certainty"] in ("told", "device")}
        both += mtus == {1400, 1500}
    print("# 1400 on one branch: both MTUs in %d of %d runs" % (both, RUNS))
    ok(both * 100 >= RUNS * 80, "each branch has its MTU", r.stdout)
    # By chance a way is missed now and then, as it says; not three times.
    for _ in range(3):
        r = fan.run("--paths", "fd77:7::2")
        mtus = {b.get("pmtu") for b in of(r, "branch")}
        if {1400, 1500} <= mtus:
            break
    ok(r.returncode == 0 and {1400, 1500} <= mtus, "and over IPv6", r.stdout + r.stderr)
    for i in range(3):
        r = fan.run("--paths", "--expect-mtu", 1500, "-s", "10.77.0.%d" % (10 + RUNS + i),
                    "10.77.7.2")
        if r.returncode == 4:
            break
    ok(r.returncode == 4, "--expect-mtu is about the narrowest", r.stdout + r.stderr)


def way_back():
    fan = Fan(back=1290)
    r = fan.run("--reverse", "10.77.7.2")
    s = of(r, "summary")[0]
    ok("reverse_pmtu" not in s and "UDP echo" in s["reverse_why"],
       "without a ping socket and an echo service it says what is missing", r.stdout)
    fan.ns["s"].sysctl("net.ipv4.ping_group_range", "0 0")
    for to in ("10.77.7.2", "fd77:7::2"):
        r = fan.run("--reverse", to)
        s = of(r, "summary")[0]
        print("# %s: %d packets, %.1f ms" % (to, s["reverse_sent"], s["reverse_took_ns"] / 1e6))
        ok((s.get("reverse_pmtu"), s.get("reverse_pmtu_most")) == (1290, 1290) and
           s["reverse_method"] == "echo" and s["reverse_sent"] <= 7,
           "1290 on the way back from %s" % to, r.stdout + r.stderr)
        ok(s.get("pmtu") == 1500, "while the way there carries 1500", r.stdout)


def cycles():
    fan = Fan()
    before = time.monotonic()
    r = fan.run("--cycles", 100, "--interval", "100ms", "10.77.7.2")
    took = time.monotonic() - before
    last = {}
    for c in of(r, "cycle"):
        last[c["hop"]] = c
    worst = max(c.get("loss_ppm", 0) for c in last.values())
    print("# 10 Hz for 10 s: false loss at most %.2f %%; %s" % (worst / 1e4, ", ".join(
        "hop %d: %d sent, %d answered, %d limited, burst %s" % (
            h, c["sent"], c["answered"], c["limited"], c.get("limit_burst"))
        for h, c in sorted(last.items()))))
    ok(r.returncode == 0 and len(last) == 5, "each hop is told of", r.stdout[-2000:] + r.stderr)
    ok(worst <= 10000, "no loss where there is none, whatever the limits", last)
    ok(all(5 <= c.get("limit_burst", 0) <= 7 and
           9e8 <= c["limit_ns"] <= 1.3e9 for c in last.values()),
       "each router's limit is told: 6, then one a second", last)
    ok(9 < took < 30, "ten seconds of it", took)


def main():
    if not os.path.exists(SOCKPATH):
        skip_all("sockpath is not built")
    netns.isolate(pin=False)
    for part in (balanced, branches, way_back, cycles):
        if sys.argv[1:] and part.__name__ not in sys.argv[1:]:
            continue
        try:
            part()
        except (RuntimeError, FileNotFoundError) as e:
            skip(part.__name__, str(e))
    done()


main()
