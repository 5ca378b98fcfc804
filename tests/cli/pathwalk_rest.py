# SPDX-License-Identifier: BSD-2-Clause
"""How many probes and when, what is told, what is refused."""
import json
import os
import re
import tempfile

from pathbed import DST6, path, row
from tap import ok


@row("sim-queries")
def flying():
    r, all_at_once = path("-N", 1, late=0.01), path(late=0.01)
    ok(r.status == 0 and r.most == 1, "-N 1: one on its way at a time", f"{r.most} {r.all}")
    ok(all_at_once.most > 3, "without: many", f"{all_at_once.most}")
    r = path("-N", 3, late=0.01)
    ok(r.status == 0 and r.most <= 3, "-N 3: never more than three", f"{r.most} {r.all}")


@row("wait")
def wait():
    quick = path("-w", "0.05", hops=0, deaf=True)
    slow = path("-w", "0.4", hops=0, deaf=True)
    ok(quick.status == 3 and slow.status == 3 and slow.took > quick.took + 0.3,
       "-w: how long silence is believed", f"{quick.took} {slow.took}\n{slow.all}")
    first = [p.at for p in slow.probes if p.ttl == 1]
    ok(len(first) > 1 and first[1] - first[0] >= 0.39, "-w: no repetition before it", slow.all)
    words = ("--style", "traceroute", "-m", 4)
    alone, factors = (path(*words, "-w", w, silent=(2,)) for w in (1, "1,2,5"))
    ok(alone.took > 0.95, "-w alone, by traceroute's style: a silent hop takes all of it",
       alone.took)
    ok(factors.took < 0.6 and factors.out.count("*") == 3,
       "-w with factors: it takes some round trips of a later one", f"{factors.took}")
    r = path(*words, "-w", "1/2")
    ok(r.status == 0, "-w: as traceroute has it, with a slash, without the last", r.all)
    for bad in ("1,2,3,4", "1,,", "0", "1,-2", "1,x", ""):
        r = path("--style", "book", "-w", bad)
        ok(r.status == 2 and not r.sent and f"'-w {bad}'" in r.err, "-w '%s': refused" % bad,
           r.all)


@row("sendwait")
def pause():
    r = path("-z", "30ms", "--no-mtu")
    gaps = [b.at - a.at for a, b in zip(r.probes, r.probes[1:])]
    ok(r.status == 0 and gaps and min(gaps) >= 0.028, "-z: a pause between packets", gaps)
    r = path("-z", 30, "--no-mtu")
    gaps = [b.at - a.at for a, b in zip(r.probes, r.probes[1:])]
    ok(gaps and min(gaps) >= 0.028, "-z: more than 10 is milliseconds", gaps)


@row("packets")
def packets():
    r = path("--packets", 4, hops=9)
    ok(len(r.probes) == 4 and "no more packets are allowed" in r.out,
       "--packets: no more than that leave, and it is said", r.all)


@row("no-mtu")
def small():
    r = path("--no-mtu", mtu={2: 1000})
    ok(r.status == 0 and max(p.len for p in r.probes) <= 60, "--no-mtu: small packets", r.all)
    r = path(mtu={2: 1000})
    ok(max(p.len for p in r.probes) == 1500 and "path MTU 1000" in r.out,
       "without: as large as the interface's", r.all)


@row("style")
def style():
    r = path("--style", "traceroute")
    ok(r.out.startswith("traceroute to 198.51.100.7 (198.51.100.7), 30 hops max, 60 byte "
       "packets\n 1  10.0.0.1  ") and r.status == 0, "--style traceroute: its lines", r.all)
    for ttl in range(1, 4):
        ok(sum(p.ttl == ttl for p in r.probes) == 3, "and three probes to TTL %d" % ttl, r.all)
    r = path("--style", "book", mtu={2: 296}, told={2: 0})
    lens = [p.len for p in r.probes]
    ok(lens == [1500] * 7 + [1492, 1006, 576, 552, 544, 512, 508] + [296] * 6,
       "--style book: the table of sizes, in its order", lens)
    ok(r.out.count("trying new MTU") == 8, "and a line for each", r.out)
    r = path("--style", "tracepath")
    ok("     Resume: pmtu 1500 hops 4 back 4 \n" in r.out and len(r.probes) == 5,
       "--style tracepath: its lines", r.all)
    for kind in ("traceroute", "tracepath", "book"):
        words = ["--style", kind] + (["--mtu"] if kind == "traceroute" else [])
        r = path(*words, mtu={1: 10}, told={1: 67})
        ok(r.status == 3 and len(r.probes) < 12 and re.search("!F-67|pmtu 67", r.out),
           "--style %s: a router that calls everything too big ends it" % kind, r.all)
        r = path(*words, hops=30, deaf=True)
        ok(r.status == 3 and max(p.ttl for p in r.probes) == 30 and len(r.probes) <= 121,
           "--style %s: a path that does not end, does" % kind, r.all)
    r = path("--style", "book", "-T")
    ok(r.status == 2 and not r.sent and "MTU" in r.err, "--style book -T: refused", r.all)
    r = path("--style", "traceroute", "-T")
    ok(r.status == 0 and "\n 4  198.51.100.7  " in r.out and {p.proto for p in r.probes} == {6},
       "--style traceroute -T: by SYN", r.all)
    r = path("--style", "traceroute", "-I", "-q", 2, to=DST6)
    ok(r.status == 0 and "\n 4  2001:db8::7  " in r.out and {p.proto for p in r.probes} == {58},
       "--style traceroute -I: by echo", r.all)
    for words in (["--paths"], ["--cycles", 2], ["--packets", 5], ["--no-mtu"], ["--reverse"]):
        r = path("--style", "book", *words)
        ok(r.status == 2 and not r.sent and words[0] in r.err, "--style and %s: refused" %
           words[0], r.all)
    r = path("--style", "tracepath", "--json")
    ok(r.status == 2 and not r.sent, "--style and --json: refused", r.all)


@row("numeric")
def numeric():
    with_names, without = path(numeric=False, to="127.0.0.1"), path("-n")
    ok("localhost" in with_names.out, "names are told", with_names.out)
    ok("localhost" not in path("-n", to="127.0.0.1").out, "-n: they are not", without.out)
    ok(not without.names, "-n: no server is asked", without.all)


@row("verbose")
def verbose():
    r, more = path(), path("-v")
    ok(len(more.out + more.err) > len(r.out + r.err) and more.status == 0,
       "-v: more is told", more.all)


@row("json")
def as_json():
    r = path("--json")
    kinds = [x["type"] for x in r.records]
    ok(kinds.count("hop") == 4 and kinds[-1] == "summary" and len(kinds) == len(r.out.splitlines()),
       "--json: a line for each hop, then a summary", r.out)
    r = path("--json=document")
    ok(isinstance(json.loads(r.out), dict), "--json=document: one", r.out)
    with tempfile.TemporaryDirectory() as d:
        r = path(f"--json={d}/x")
        lines = open(d + "/x", encoding="utf-8").read().splitlines()
        ok(json.loads(lines[-1])["type"] == "summary" and "path MTU" in r.out,
           "--json=FILE: there, and text here", r.out)
    r = path("--json=" + os.path.join("/nonexistent", "x"))
    ok(r.status in (1, 2) and not r.sent and "/nonexistent/x" in r.err,
       "--json=FILE that cannot be: said, nothing leaves", r.all)


@row("expect-mtu")
def expect():
    low, high = path("--expect-mtu", 1200, mtu={2: 1000}), path("--expect-mtu", 1000, mtu={2: 1000})
    ok(low.status == 4 and high.status == 0, "--expect-mtu: status 4 below it, 0 from it on",
       low.all + high.all)


@row("extensions")
def labels():
    r = path("-e", "--style", "traceroute", mpls={2: 777})
    ok("<MPLS:L=777,E=0,S=1,T=1>" in r.out, "-e: labels, as traceroute has them", r.all)
    r = path("--style", "traceroute", mpls={2: 777})
    ok("MPLS" not in r.out, "without: none there", r.all)
    r = path("--json", mpls={2: 777})
    ok(any(h.get("labels", [{}])[0].get("label") == 777 for h in r.of("hop")),
       "but always in our own words", r.out)


@row("dont-fragment")
def whole():
    plain, cut = path("-F"), path("--style", "traceroute", "-F")
    ok(all(p.df for p in plain.probes + cut.probes), "-F: DF is set", plain.all)
    r = path("--style", "traceroute")
    ok(r.probes and not any(p.df for p in r.probes), "without, by traceroute's style: not", r.all)
    ok(all(p.df for p in path().probes), "without, by our own: it is")


@row("mtu")
def mtu():
    r = path("--mtu", "--style", "traceroute", mtu={2: 1000})
    ok(re.search(r"^ 3  10\.0\.0\.3  [\d.]+ ms F=1000  ", r.out, re.M) is not None,
       "--mtu: F=NUM, as traceroute has it", r.all)
    ok(r.most == 1 and max(p.len for p in r.probes) == 1500, "one at a time, full size", r.all)


@row("back")
def back():
    r = path("--back", "--style", "traceroute", back={2: 50})
    ok(" 2  10.0.0.2 '-15'  " in r.out, "--back: hops of the way back", r.all)
    ok("'-" not in path("--style", "traceroute", back={2: 50}).out, "without: not there")


@row("both")
def both():
    r = path("-b", "--style", "tracepath", numeric=False, to="127.0.0.1")
    ok("localhost (127.0.0.1)" in r.out, "-b: name and number", r.all)
    r = path("--style", "tracepath", numeric=False, to="127.0.0.1")
    ok("localhost " in r.out and "(127" not in r.out, "without: the name", r.all)


@row("debug", "as-path-lookups")
def dead():
    for words in (("-d",), ("-A",)):
        r = path(*words)
        ok(r.status == 2 and not r.sent and words[0] in r.err and not r.out,
           "%s: refused with a reason, nothing leaves" % words, r.all)
