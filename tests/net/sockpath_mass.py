#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sockpath --targets behind kernel routers: hops, path MTU, shards, a run that was
killed, and what routers are asked for under their default limits."""
import collections
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["SOCKEYE_SRC"] + "/tests")
from kit import chain, netns, packet  # noqa: E402
from tap import done, ok, skip_all  # noqa: E402

SOCKPATH = os.environ["SOCKEYE_BUILD"] + "/prog/sockpath/sockpath"
DIR = tempfile.TemporaryDirectory()
LIST = DIR.name + "/list"
ROUTERS = 5
FREE = ("--hop-rate", "0", "--rate", "50000")


def argv(*args):
    """As one who has no privilege left, not even that of this namespace."""
    return ["setpriv", "--bounding-set=-all", "--no-new-privs", SOCKPATH, "--targets", LIST,
            *[str(a) for a in args]]


def listed(text):
    with open(LIST, "w", encoding="ascii") as f:
        f.write(text)


def run(lab, *args):
    """Targets by address, the sums, standard error, status."""
    with lab.here:
        p = subprocess.run(argv(*args), capture_output=True, text=True, timeout=60, check=False)
    records = [json.loads(x) for x in p.stdout.splitlines()]
    return ({r["dst"]: r for r in records if r["type"] == "target"}, records[-1] if records else {},
            p.stderr, p.returncode)


def way(record):
    """What does not depend on when it was asked."""
    return (record["dst"], record["end"], record.get("distance"), record.get("pmtu"),
            tuple((h["hop"], h.get("by")) for h in record["hops"]))


def hops(v6=False):
    return [(i, chain.Chain.hop(i, v6)) for i in range(1, ROUTERS + 1)]


def is_whole(record, v6=False, mtu=1500):
    return (record["end"] == "reached" and record["distance"] == ROUTERS + 1 and
            record.get("pmtu") == mtu and
            [(h["hop"], h.get("by")) for h in record["hops"]] == hops(v6))


def plain(lab):
    listed("10.200.1.0/25\nfd20::100/122\n")
    got, sums, err, status = run(lab, "--seed", 3, *FREE)
    wrong = [r for r in got.values() if not is_whole(r, ":" in r["dst"])]
    ok(status == 0 and len(got) == 126 + 64 and not wrong,
       "every hop, distance and path MTU, both families", err + repr(wrong[:2]))
    ok(sums["sent"] < 190 * 3 and sums["received"] == sums["sent"] and not sums["strays"],
       "in less than three probes a target, all answered", repr(sums))
    ok(sum(h["how"] == "measured" for r in got.values() for h in r["hops"]) == sums["hops"]["measured"]
       < sums["hops"]["shared"], "most hops are those of others, and the sums are right", repr(sums))
    again, _, err, status = run(lab, "--seed", 3, "--every-hop", *FREE)
    ok(status == 0 and sorted(map(way, again.values())) == sorted(map(way, got.values())),
       "the same as asking every hop of each", err)
    again, sums, err, status = run(lab, "--seed", 3, "--no-mtu", *FREE)
    ok(status == 0 and not any("pmtu" in r for r in again.values()) and sums["with_pmtu"] == 0,
       "--no-mtu asks for none", err)
    return got


def shards(lab, whole):
    parts = []
    for i in (1, 2, 3):
        got, _, _, _ = run(lab, "--seed", 3, "--shard", "%d/3" % i, *FREE)
        parts += map(way, got.values())
    ok(sorted(parts) == sorted(map(way, whole.values())), "three shards are one run", str(len(parts)))


def read(path):
    with open(path, encoding="ascii") as f:
        return f.read()


def killed(lab, whole):
    """Killed when the first targets are in the file, and once more; then to the end."""
    out = DIR.name + "/out"
    slow = ("--resume", out, "--hop-rate", "0", "--rate")
    before = 0
    for rate in (100, 400):
        with lab.here:
            p = subprocess.Popen(argv(*slow, rate), stderr=subprocess.DEVNULL)
        while p.poll() is None and (not os.path.exists(out) or
                                    read(out).count('"target"') <= before):
            try:
                p.wait(0.002)
            except subprocess.TimeoutExpired:
                pass
        p.send_signal(signal.SIGKILL)
        p.wait()
        before = read(out).count('"target"')
    ok(0 < before < 190, "killed twice on the way", str(before))
    with open(out, "a", encoding="ascii") as f:
        f.write('{"v":1,"type":"target","time":"1.0","n":5,"ds')
    _, _, err, status = run(lab, *slow, 50000)
    records = [json.loads(x) for x in read(out).splitlines()]
    found = [r for r in records if r["type"] == "target"]
    ok(status == 0 and len(found) == 190 and
       sorted(map(way, found)) == sorted(map(way, whole.values())),
       "what is resumed ends as one run, each target once", err + str(len(found)))
    seeds = {r["seed"] for r in records if r["type"] == "run"}
    ok(len(seeds) == 1 and records[0]["type"] == "run" and records[-1]["type"] == "summary",
       "with one seed", repr(seeds))


def sizes():
    lab = chain.Chain(ROUTERS, mtu={2: 1400, 4: 1300})
    listed("10.200.1.0/26\nfd20::100/124\n")
    got, _, err, status = run(lab, *FREE)
    wrong = [r for r in got.values() if not is_whole(r, ":" in r["dst"], 1300)]
    ok(status == 0 and not wrong, "two smaller links: the smallest is the path's", err + repr(wrong[:1]))
    ok(all(r["set_by"] == chain.Chain.hop(4, ":" in r["dst"]) for r in got.values()),
       "and who said so", repr(list(got.values())[:1]))
    listed("10.90.0.1\n10.200.1.1\n")
    got, _, err, status = run(lab, *FREE)
    ok(status == 0 and got["10.90.0.1"]["pmtu"] == 9000 and is_whole(got["10.200.1.1"], mtu=1300),
       "devices may differ in what they carry", err + repr(got))
    _, _, err, status = run(lab, "--expect-mtu", 1301, *FREE)
    ok(status == 4, "less than what was expected is status 4", err)
    lab.routers[2].nft("table ip t { chain f { type filter hook forward priority 0; "
                       "ip length > 1350 drop; }\n}")
    listed("10.200.1.1\n10.200.1.2\n")
    got, _, err, _ = run(lab, *FREE)
    ok(all(r["pmtu"] == 1300 and r["hops"][2].get("by") == chain.Chain.hop(3)
           for r in got.values()), "a size that vanishes is not taken for loss", err + repr(got))


def silent(lab):
    """A router that says nothing, hosts that say nothing, a filter that says so."""
    lab.routers[2].nft("table ip t { chain o { type filter hook output priority 0; "
                       "icmp type time-exceeded drop; }\n}")
    lab.hosts.nft("table ip t { chain i { type filter hook input priority 0; "
                  "ip daddr 10.200.1.2 drop; "
                  "ip daddr 10.200.1.3 reject with icmp type admin-prohibited; }\n}")
    listed("10.200.1.1\n10.200.1.2\n")
    got, _, err, status = run(lab, *FREE)
    by = [h.get("by") for h in got["10.200.1.1"]["hops"]]
    want = [None if i == 3 else a for i, a in hops()]
    ok(by == want and got["10.200.1.1"]["end"] == "reached", "a silent router is a silent hop",
       err + repr(got))
    r = got["10.200.1.2"]
    ok(status == 3 and r["end"] == "silent" and "distance" not in r and
       [h.get("by") for h in r["hops"]] == want, "a silent target has the way that is there",
       repr(r))
    lab.routers[2].nft("flush ruleset")
    lab.hosts.nft("flush ruleset")


def limited_errors(ns):
    with ns, open("/proc/thread-self/net/snmp", encoding="ascii") as f:
        rows = [line.split() for line in f if line.startswith("Icmp:")]
    row = dict(zip(rows[0][1:], map(int, rows[1][1:])))
    return row["OutTimeExcds"], row.get("OutRateLimitHost", 0) + row.get("OutRateLimitGlobal", 0)


def defaults():
    """Six errors at once and one a second: nobody is asked for what he will not
    give, every target has its MTU, and what was not asked is told as that."""
    lab = chain.Chain(ROUTERS, limited=True)
    listed("10.200.1.0/24\n")
    before = [limited_errors(r) for r in lab.routers]
    got, sums, err, status = run(lab, "--rate", 50000, "--patience", "1s")
    after = [limited_errors(r) for r in lab.routers]
    gave = [b[0] - a[0] for a, b in zip(before, after)]
    held = [b[1] - a[1] for a, b in zip(before, after)]
    ok(status == 0 and len(got) == 254 and all(r.get("pmtu") == 1500 for r in got.values()),
       "under default limits every target is reached, with its path MTU", err)
    ok(sum(held) <= 2 and max(gave) <= 12, "routers are asked within their buckets",
       "gave %r, held back %r\n%s" % (gave, held, err))
    ok(all([h.get("by") for h in r["hops"]] == [a for _, a in hops()] for r in got.values()),
       "all hops are told", err)
    how = collections.Counter(h["how"] for r in got.values() for h in r["hops"])
    ok(dict(how) == {k: v for k, v in sums["hops"].items() if v} and how["assumed"] > 200,
       "those not asked as assumed", repr(sums["hops"]))
    ok(sums["denied"] > 200 and 200e9 < sums["debt_ns"] < 600e9 and
       sums["limited"][0]["by"] == chain.Chain.hop(ROUTERS) and "not asked" in err,
       "and how long it would take to ask them", repr(sums))


def forged(lab):
    """Errors in the name of a router, for the right port, with payload that is not
    ours: from noise, and from a true probe with one bit changed."""
    listed("10.200.1.0/25\n")
    wire = packet.Wire(lab.routers[0], "left", lab.here.mac("right"))
    with lab.here:
        p = subprocess.Popen(argv("--rate", 300, "--hop-rate", 0), stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    seen = wire.catch(socket.AF_INET, 33434, 10)
    bent = bytes([seen.payload[0] ^ 1]) + seen.payload[1:60]
    for i in range(200):
        for payload in (bytes(range(i, i + 40)), bent):
            dst = "10.200.1.%d" % (i % 126 + 1)
            quote = packet.ip(seen.src, dst, packet.UDP,
                              packet.udp(seen.src, seen.sport, dst, 33434, payload))
            wire.put(packet.icmp("10.66.6.6", seen.src, 3 if i % 2 else 11, 3 if i % 2 else 0,
                                 bytes(4), quote))
    out, err = p.communicate(timeout=30)
    records = [json.loads(x) for x in out.splitlines()]
    wrong = [r for r in records if r["type"] == "target" and not is_whole(r)]
    ok(p.returncode == 0 and not wrong and len(records) == 128 and "10.66.6.6" not in out,
       "forged errors change nothing", err + repr(wrong[:1]))
    ok(records[-1]["forged"] == 400, "and are counted", repr(records[-1]))


def live(lab):
    """Progress with an estimate; Ctrl-C ends with the sums."""
    listed("10.200.0.0/16\n")
    with lab.here:
        p = subprocess.Popen(argv("--hop-rate", 0, "--rate", 2000, "--progress", "50ms"),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = [p.stderr.readline() for _ in range(3)]
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=20)
    last = json.loads(out.splitlines()[-1])
    ok(all("of 65534 targets" in x for x in lines) and "left" in lines[2],
       "progress with the time that is left", repr(lines))
    ok(last["type"] == "summary" and last["cut"] and 0 < last["done"] < 65534 and p.returncode == 3,
       "Ctrl-C ends it, with the sums", err + repr(last))


netns.isolate(pin=False)
if subprocess.run(["sh", "-c", "command -v setpriv"], capture_output=True, check=False).returncode:
    skip_all("no setpriv (package util-linux)")
LAB = chain.Chain(ROUTERS)
WHOLE = plain(LAB)
shards(LAB, WHOLE)
killed(LAB, WHOLE)
sizes()
silent(LAB)
defaults()
forged(LAB)
live(LAB)
done()
