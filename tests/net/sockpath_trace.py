#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sockpath against the topology: hops and MTU of paths that are plain, narrow,
silent, lying, black; by every method, as an ordinary user and as root."""
import concurrent.futures as futures
import json
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pathbed import (SRC, chain, hops, narrow, need_namespaces, socknet,  # noqa: E402
                     sockpath, steps)
from tap import done, ok, skip  # noqa: E402

need_namespaces()
THREE = narrow(3, 1400) + narrow(5, 1006) + narrow(7, 296)
THREE6 = narrow(3, 1400) + narrow(5, 1300) + narrow(7, 1280)


def said(r, **want):
    return all(r.summary.get(k) == v for k, v in want.items())


def path(r, family, narrowed=(), but=()):
    """Each hop by its address: behind a narrow link it is that of the second way."""
    want = hops(family)
    for link in narrowed:
        want[link] = want[link].replace("10.0.", "10.1.").replace("fd00:", "fd01:")
    return r.addresses() == [None if i + 1 in but else a for i, a in enumerate(want)]


# name, lab, options, family, narrow links, silent hops, status, what the summary says
CASES = [
    ("a plain path", "", ["d.v4"], 4, (), (), 0,
     dict(pmtu=1500, certainty="exact", limit="device", reached=True, stop="reached", distance=9)),
    ("a plain path, IPv6", "", ["d.v6"], 6, (), (), 0,
     dict(pmtu=1500, certainty="exact", limit="device", distance=9)),
    ("three narrow links", THREE, ["d.v4"], 4, (3, 5, 7), (), 0,
     dict(pmtu=296, certainty="exact", limit="router", set_by_hop=7, set_by="10.0.6.2")),
    ("three narrow links, IPv6", THREE6, ["d.v6"], 6, (3, 5, 7), (), 0,
     dict(pmtu=1280, certainty="exact", limit="router", set_by_hop=7)),
    ("a black hole", narrow(5, 1400, "too-big silent"), ["d.v4"], 4, (5,), (), 0,
     dict(pmtu=1400, certainty="exact", limit="black-hole", set_by_hop=5)),
    ("a black hole behind an honest link, IPv6", narrow(2, 1450) + narrow(5, 1400, "too-big silent"),
     ["d.v6"], 6, (2, 5), (), 0, dict(pmtu=1400, certainty="exact", limit="black-hole", set_by_hop=5)),
    ("a router that tells no MTU", narrow(6, 1006, "too-big old"), ["d.v4"], 4, (6,), (), 0,
     dict(pmtu=1006, certainty="exact", limit="router", set_by_hop=6)),
    ("a router that lies", narrow(6, 1006, "too-big lie 1500"), ["d.v4"], 4, (6,), (), 0,
     dict(pmtu=1006, certainty="exact", set_by_hop=6)),
    ("three silent routers", "".join("router r%d answer silent\n" % i for i in (3, 4, 5)) +
     narrow(7, 1400), ["d.v4"], 4, (7,), (3, 4, 5), 0, dict(pmtu=1400, set_by_hop=7, reached=True)),
    ("routers that limit their errors", "".join("router r%d answer kernel\n" % i for i in
     range(1, 9)) + THREE, ["d.v4"], 4, (3, 5, 7), (), 0, dict(pmtu=296, set_by_hop=7)),
    ("routers that quote eight bytes", "".join("router r%d quote 8\n" % i for i in (2, 3, 6)),
     ["d.v4"], 4, (), (), 0, dict(pmtu=1500, distance=9)),
    ("hops by TCP", "", ["-T", "d.v4"], 4, (), (), 0, dict(reached=True, distance=9, proto="tcp")),
    ("hops by TCP, IPv6", "", ["-T", "d.v6"], 6, (), (), 0, dict(reached=True, distance=9)),
    ("a ping socket", 'sysctl s "net.ipv4.ping_group_range=0 0"\n' + THREE,
     ["-I", "d.v4"], 4, (3, 5, 7), (), 0, dict(pmtu=296, set_by_hop=7, proto="icmp")),
    ("a ping socket, IPv6", 'sysctl s "net.ipv4.ping_group_range=0 0"\n',
     ["-I", "d.v6"], 6, (), (), 0, dict(pmtu=1500, reached=True)),
    ("hops only", THREE, ["--no-mtu", "d.v4"], 4, (3, 5, 7), (), 0, dict(reached=True)),
    ("the MTU that is expected", narrow(3, 1400), ["--expect-mtu", "1400", "d.v4"], 4, (3,), (), 0,
     dict(pmtu=1400)),
    ("less than expected", narrow(3, 1400), ["--expect-mtu", "1401", "d.v4"], 4, (3,), (), 4,
     dict(pmtu=1400, reached=True)),
    ("a cached MTU is not obeyed", "route s 10.0.8.2 via 10.0.0.2 mtu 552\n", ["d.v4"], 4, (), (),
     0, dict(pmtu=1500, cached_mtu=552)),
    ("a filter of the destination", "filter d input udp dport 33434 reject with icmp type "
     "admin-prohibited\n", ["d.v4"], 4, (), (), 0, dict(reached=True, by="10.0.8.2")),
    ("another source", "", ["-s", "10.0.0.1", "-i", "r1", "--sport", "40000", "d.v4"], 4, (), (), 0,
     dict(src="10.0.0.1", pmtu=1500)),
]
# What does not end at the destination.
ENDS = [
    ("unreachable, says a router", "route r2 unreachable 10.9.0.0/16\n", "10.9.0.1",
     dict(stop="unreachable", by="10.0.1.2", icmp_type=3, icmp_code=1)),
    ("prohibited, says a router", "route r2 prohibit 10.9.0.0/16\n", "10.9.0.1",
     dict(stop="unreachable", by="10.0.1.2", icmp_code=13)),
    ("silence", "route r2 blackhole 10.9.0.0/16\n", "10.9.0.1", dict(stop="gap", last=2)),
    ("a loop", "route r4 10.9.0.0/16 via 10.0.4.2\nroute r5 10.9.0.0/16 via 10.0.4.1\n", "10.9.0.1",
     dict(stop="loop")),
    ("a router that answers all with errors", "router r2 answer all\n", "d.v4",
     dict(stop="unreachable")),
    ("a router that calls everything too big", "router r2 answer all type 3 code 4 mtu 68\n",
     "d.v4", dict(reached=False)),
    ("a router that calls everything too big, IPv6", "router r2 answer all type 2 code 0 mtu 20\n",
     "d.v6", dict(reached=False)),
    ("no route here", "route s unreachable 10.9.0.0/16\n", "10.9.0.1",
     dict(stop="local", errno="EHOSTUNREACH", sent=0)),
    ("a route that prohibits", "route s prohibit 10.9.0.0/16\n", "10.9.0.1",
     dict(stop="local", errno="EACCES", sent=0)),
    ("a black hole of this host's", "route s blackhole 10.9.0.0/16\n", "10.9.0.1",
     dict(stop="local", errno="EINVAL", sent=0)),
    ("a filter of this host", "filter s output ip daddr 10.9.0.0/16 drop\n", "10.9.0.1",
     dict(stop="local", errno="EPERM", sent=0)),
    ("a silent destination", "filter d input udp dport 33434 drop\n", "d.v4",
     dict(stop="gap", last=8)),
]


def traced(case):
    name, more, args, family, narrowed, but, status, want = case
    return sockpath(chain(more), "--json", *args)


def branching():
    """--paths ends where a path ends, and names who ends it."""
    for more, to, most, want in (
            ("router r2 answer all type 3 code 4 mtu 68\n", "d.v4", 40,
             dict(stop="refuses", by="10.0.1.2")),
            ("route r4 10.9.0.0/16 via 10.0.4.2\nroute r5 10.9.0.0/16 via 10.0.4.1\n",
             "10.9.0.1", 120, dict(stop="loop"))):
        r = sockpath(chain(more), "--paths", "--json", to)
        s = r.records[-1] if r.records else {}
        ok(r.status == 3 and all(s.get(k) == v for k, v in want.items()) and s["sent"] <= most,
           "--paths, %s: %s packets, at most %d" % (want["stop"], s.get("sent"), most), r.all)


def ended(case):
    return sockpath(chain(case[1]), "--json", case[2])


def right(case, r):
    _, _, _, family, narrowed, but, status, want = case
    return r.status == status and path(r, family, narrowed, but) and said(r, **want)


def again(run, case, fine, tries=3):
    """A loaded machine loses time, not truth: what is wrong is so every time."""
    for _ in range(tries):
        r = run(case)
        if fine(case, r):
            return r, True
    return r, False


def as_root():
    for options, want in (("-I d.v4", dict(pmtu=1400, proto="icmp")),
                          ("-I d.v6", dict(pmtu=1400)), ("--raw d.v4", dict(pmtu=1400)),
                          ("--raw d.v6", dict(pmtu=1400)), ("d.v4", dict(pmtu=1400)),
                          ("-I --raw d.v4", dict(pmtu=1400))):
        r = steps(chain(narrow(4, 1400) + "router r3 quote 8\n" if "4" in options else
                        narrow(4, 1400)) +
                  "run s root status 0 sockpath --json %s\n" % options)
        ok(said(r, **want) and path(r, 6 if "v6" in options else 4, (4,)),
           "with all privileges, %s: the same path" % options, r.all)
        if "--raw" in options:
            quoted = [(h.get("quoted_ttl"), h.get("quoted_len")) for h in r.hops[:-1]]
            ok(set(quoted) == {(1, 80 if "v6" in options else 60)},
               "%s: what the hops quote is known" % options, quoted)


def document():
    r = sockpath(chain(THREE), "--json=document", "d.v4")
    lines = sockpath(chain(THREE), "--json", "d.v4")
    ok(len(r.records) == 1 and r.summary["type"] == "path" and path(r, 4, (3, 5, 7)) and
       set(lines.hops[6]) - set(r.summary["hops"][6]) == {"v", "type", "time"},
       "--json=document is one document with the same members as the lines", r.all)


def text():
    r = sockpath(chain(THREE + "router r4 mpls 24001\n"), "d.v4")
    lines = r.out.splitlines()
    ok(r.status == 0 and len(lines) == 12 and lines[3].startswith(" 3  r3 (10.0.2.2)  ") and
       lines[3].endswith("  MTU drops to 1400 after it") and
       lines[4].endswith("  MPLS label 24001 tc 0 ttl 1") and
       lines[10] == "path MTU 296, set by hop 7 (10.0.6.2)" and
       lines[11].startswith("reached at hop 9, in "), "lines for people", r.all)
    r = sockpath(chain(), "-n", "-q", "3", "d.v4")
    ok(all(line.count("ms") == 3 for line in r.out.splitlines()[1:10]) and "r1" not in r.out,
       "-q 3: three round trips for each hop; -n: no names", r.all)
    r = sockpath(chain(), "-f", "4", "-m", "6", "d.v4")
    ok(r.status == 3 and [line[:2] for line in r.out.splitlines()[1:4]] == [" 4", " 5", " 6"] and
       "not reached: the path goes on after hop 6" in r.out, "-f 4 -m 6", r.all)


def budget():
    """Nobody is asked for more than the table of the targets says."""
    for name, more, args, most in (("plain", "", ["d.v4"], 13), ("three narrow links", THREE,
                                   ["d.v4"], 20),
                                   ("a black hole", narrow(5, 1400, "too-big silent"), ["d.v4"], 60)):
        r, _ = again(lambda a: sockpath(chain(a), "--json", *args), more,
                     lambda _, r: r.summary.get("sent", 999) <= most)
        ok(r.summary.get("sent", 999) <= most, "%s: %s packets, at most %d" %
           (name, r.summary.get("sent"), most), r.all)


def manual():
    """The first example of the page, but for times and the count of packets."""
    def masked(lines):
        return [re.sub(r"[0-9.]+ ([mu]?s|packets)\b", "-", line) for line in lines]
    with open(SRC + "/prog/sockpath/sockpath.1", encoding="utf-8") as f:
        shown = re.search(r"\.Bd -literal\n\$ (socknet run .*?)\.Ed", f.read(), re.S)[1].splitlines()
    words = shown[0].split()
    status, out, err = socknet("", *words[1:])
    ok(status == 0 and masked(out.splitlines()) == masked(shown[1:]),
       "the example of sockpath(1): %s" % shown[0], out + err)


def peers():
    """Two other programs see the same hops."""
    own = sockpath(chain(), "--json", "d.v4").addresses()
    for program, args in (("traceroute", ["-n", "-q1", "10.0.8.2"]), ("tracepath", ["-n", "10.0.8.2"])):
        if not shutil.which(program):
            skip("the hops of %s" % program, "no %s" % program)
            continue
        r = sockpath(chain(), *args, program=program)
        theirs = [line.split()[1] for line in r.out.splitlines() if line[:2].strip().isdigit() and
                  "LOCALHOST" not in line]
        theirs = [a for i, a in enumerate(theirs) if a not in theirs[:i]]
        ok(theirs == own, "%s sees the same hops" % program, "%s\n%s" % (own, r.all))


with futures.ThreadPoolExecutor(2) as pool:
    for case, (r, fine) in zip(CASES, pool.map(lambda c: again(traced, c, right), CASES)):
        ok(fine, "%s: status %d, %s" % (case[0], case[6], json.dumps(case[7])), r.all)
    end = list(pool.map(lambda c: again(ended, c, lambda c, r: r.status == 3 and said(r, **c[3])), ENDS))
    for case, (r, fine) in zip(ENDS, end):
        ok(fine and r.summary["sent"] <= 100, "%s: status 3, %s, %s packets" % (
            case[0], json.dumps(case[3]), r.summary.get("sent")), r.all)
as_root()
document()
text()
budget()
branching()
manual()
peers()
done()
