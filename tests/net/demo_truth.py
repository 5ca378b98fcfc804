#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The demo tells the truth: one change in its network changes the fate it tells,
and a program that tells something else is found out by the witness."""
import concurrent.futures as futures
import os
import re
import subprocess
import sys
import tempfile

SRC, BUILD = os.environ["SOCKEYE_SRC"], os.environ["SOCKEYE_BUILD"]
sys.path.insert(0, SRC + "/tests")
from tap import done, ok, skip_all  # noqa: E402

SOCKNET = BUILD + "/prog/socknet/socknet"
DEMO = open(SRC + "/lab/demo.lab", encoding="utf-8").read()
ECHO, CLOSED, NARROW, LOOP = "10.1.0.2:7", "10.2.0.2:7", "10.3.0.2:7", "10.4.0.2:7"
NOROUTE, NEIGHBOUR, DENY, VOID, NET = (
    "10.9.0.2:7", "10.0.0.77:7", "10.6.0.2:7", "10.7.0.2:7", "10.5.0.2:7")
TRUTH = {ECHO: "answered 2", CLOSED: "refused 2", NARROW: "answered 1, too-big 1",
         LOOP: "hop-limit 2", NOROUTE: "no-route 2", NEIGHBOUR: "no-neighbour 2",
         DENY: "filtered 2", VOID: "silent 2", NET: "net-unreachable 2"}
JUDGED = re.compile(r"^(agreed|DISPUTED)\s+(\S+): told (.*); shown (.*) \(", re.M)

# name, what is replaced, by what, what then becomes of which destination
CHANGES = [
    ("the narrow link carries 1500 bytes", " mtu 1300", "", {NARROW: "answered 2"}),
    ("the narrow link carries 1399 bytes", " mtu 1300", " mtu 1399",
     {NARROW: "answered 1, too-big 1"}),
    ("the filter is gone", r"filter r2 forward as deny.*\n", "", {DENY: "answered 2"}),
    ("the filter says host unreachable", "type admin-prohibited", "type host-unreachable",
     {DENY: "host-unreachable 2"}),
    ("the hole is gone", r"filter r2 forward as void.*\n", "", {VOID: "answered 2"}),
    ("the hole swallows another", r"(as void +ip daddr) 10.7.0.2", r"\1 10.1.0.2",
     {ECHO: "silent 2", VOID: "answered 2"}),
    ("the echo server is dead", r"server echo .*\n", "", {ECHO: "refused 2"}),
    ("the closed port has a server", r"(server echo .*\n)",
     r"\1server closed ready udp 7 socknet serve echo 7\n", {CLOSED: "answered 2"}),
    ("the loop is a route to nowhere", r"route r2 +10.4.0.0/24 .*\n", "",
     {LOOP: "net-unreachable 2"}),
    ("the client has a route, its router none", r"(route client) 10.0.0.0/13 ",
     r"\1 10.0.0.0/12 ", {NOROUTE: "net-unreachable 2"}),
    ("the neighbour exists", r"(link client r1 .*)", r"\1 10.0.0.3/24 10.0.0.77/24",
     {NEIGHBOUR: "refused 2"}),
]

# A program that lies: what sock says, with one thing changed.
LIES = [
    ("another fate", "s/refused/filtered/g"),
    ("another count", 's/"count":2/"count":1/g'),
    ("another reporter", 's/"by":"10.2.0.2"/"by":"10.0.1.2"/g'),
    ("another MTU", 's/"mtu":1300/"mtu":1301/g'),
    ("an answer that never came", 's/"silent":2/"answered":2/g'),
]


def play(text):
    with tempfile.NamedTemporaryFile("w", suffix=".lab") as f:
        f.write(text)
        f.flush()
        p = subprocess.run([SOCKNET, "-v", "demo", f.name], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=40, check=False)
    return p.returncode, p.stdout + p.stderr


def without_neighbour(text):
    """It is the only one that takes three seconds."""
    return text.replace("  10.0.0.77 7 ", " ")


def change(row):
    name, old, new, fates = row
    text, n = re.subn(old, new, DEMO)
    assert n, old
    return row, play(text if NEIGHBOUR in fates else without_neighbour(text))


def lie(row):
    name, script = row
    text = without_neighbour(DEMO).replace(
        "sock -u -i", "sh -c 'sock \"$@\" | sed \"%s\" >&3' sh -u -i"
        % script.replace('"', '\\"'))
    return name, play(text.replace("--json=3", "--json=-"))


status, out = play(DEMO)
if status == 1 and "refused" in out:
    skip_all(out.strip().splitlines()[-1])
told = {d: t for _, d, t, _ in JUDGED.findall(out)}
ok(status == 0 and told == TRUTH, "nine destinations, nine fates", "status %d\n%s" % (status, out))
ok("witness: 9 of 9 destinations agree, 9 different fates" in out, "the witness says so", out)

with futures.ThreadPoolExecutor(4) as pool:
    for (name, _, _, fates), (status, out) in pool.map(change, CHANGES):
        told = {d: t for _, d, t, _ in JUDGED.findall(out)}
        want = {d: fates.get(d, t) for d, t in TRUTH.items() if d in told}
        ok(status == 0 and told == want and set(fates) <= set(told), name +
           ": that fate changes, no other, and the witness agrees",
           "status %d\n%s" % (status, out))
    _, (status, out) = lie(("the truth", "s/nothing/nothing/"))
    ok(status == 0, "a program that passes the truth on is believed", out)
    for name, (status, out) in pool.map(lie, LIES):
        ok(status == 4 and "DISPUTED" in out, "a program that tells %s is found out" % name,
           "status %d\n%s" % (status, out))
done()
