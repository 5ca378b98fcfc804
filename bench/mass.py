#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench/mass.py BUILD [--quick]: sockpath --targets, without privileges, over 2,000
targets behind eight routers: kernel routers in a row, without limits and with the
default ones, and the network of bench-massnet, whose routers cost nothing. Beside it
scamper, if there is one. Status 4 if a limit was not met."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

SRC = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [SRC + "/tests/net", SRC + "/tests"]
from kit import chain, netns  # noqa: E402

N, TARGETS, ROUNDS = 8, 2000, 5
DIR = tempfile.TemporaryDirectory()
bad = []


def usage():
    sys.exit("usage: bench/mass.py BUILD [--quick]")


if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--quick"]):
    usage()
BUILD = os.path.abspath(sys.argv[1])
QUICK = len(sys.argv) == 3
SOCKPATH = BUILD + "/prog/sockpath/sockpath"
if not os.path.exists(SOCKPATH):
    usage()


def listed(count):
    path = "%s/%d" % (DIR.name, count)
    os.chmod(DIR.name, 0o755)
    with open(path, "w", encoding="ascii") as f:
        for i in range(count):
            f.write("10.200.%d.%d\n" % (i // 250, i % 250 + 1))
    return path


def run(ns, count, *args):
    """The sums, with "cpu" seconds; every privilege is gone first."""
    with ns:
        out = "%s/out" % DIR.name
        with open(out, "wb") as f:
            before = os.times()
            p = subprocess.run([*NOBODY, SOCKPATH, "--targets", listed(count), *args], stdout=f,
                               timeout=900, stderr=subprocess.PIPE, text=True, check=False)
            after = os.times()
    with open(out, encoding="ascii") as f:
        sums = json.loads(f.readlines()[-1])
    sums["user"] = after.children_user - before.children_user
    sums["said"], sums["s"] = p.stderr, sums["took_ns"] / 1e9
    sums["whole"] = (sums["reached"] == count and sums["hops"]["silent"] == 0 and
                     sum(sums["hops"].values()) == N * count)
    return sums


def median(rows, key):
    return sorted(key(r) for r in rows)[len(rows) // 2]


def best_of(name, ns, count, *args):
    rows = [run(ns, count, *args) for _ in range(2 if QUICK else ROUNDS)]
    print("%-40s %.3f s (best %.3f), %d probes, %.2f a target, %.0f kpps (best %.0f), kept %.3f %%, "
          "user %.1f us a probe, load %.1f" %
          (name, median(rows, lambda r: r["s"]), min(r["s"] for r in rows), rows[0]["sent"],
           rows[0]["sent"] / count, median(rows, lambda r: r["sent"] / r["s"]) / 1e3,
           max(r["sent"] / r["s"] for r in rows) / 1e3,
           median(rows, lambda r: 100 * r["received"] / r["sent"]),
           median(rows, lambda r: 1e6 * r["user"] / r["sent"]), os.getloadavg()[0]), flush=True)
    if not all(r["whole"] for r in rows):
        bad.append(name + ": not every hop of every target")
    return rows


def limit(fine, what):
    print("    %s: %s" % ("met" if fine else "NOT MET", what), flush=True)
    if not fine:
        bad.append(what)


FAST = ("--hop-rate", "0", "--rate", "1000000")


def judged(rows, shared):
    limit(median(rows, lambda r: r["sent"] / r["s"]) >= 100000, "at least 100,000 probes/s")
    limit(median(rows, lambda r: r["s"]) <= 0.4, "2,000 targets of 8 hops in 0.4 s")
    limit(median(rows, lambda r: r["received"] / r["sent"]) >= 0.999, "99.9 % of the answers kept")
    limit(median(shared, lambda r: r["s"]) <= 1, "path MTU of all in 1 s")
    limit(all(r["with_pmtu"] == TARGETS for r in shared), "path MTU of all, exact")
    limit(max(r["sent"] for r in shared) <= TARGETS * (N + 3), "at most n + 3 packets a target")
    limit(max(r["sent"] for r in shared) * 2 <= TARGETS * (N + 1), "at most half of naive probing")


def one_process():
    here = netns.Ns()
    with here:
        p = subprocess.Popen([BUILD + "/bench/bench-massnet", "mass0", str(N)],
                             stdout=subprocess.PIPE, text=True)
        p.stdout.readline()
    here.ip("addr add 10.89.0.1/32 dev mass0", "link set mass0 mtu 1500 txqueuelen 10000 up",
            "route add 10.0.0.0/8 dev mass0")
    print("routers that cost nothing (bench-massnet):")
    rows = best_of("every hop", here, TARGETS, "--every-hop", *FAST)
    shared = best_of("shared hops", here, TARGETS, *FAST)
    judged(rows, shared)
    if not QUICK:
        best_of("every hop, 60,000 targets, 100,000/s", here, 60000, "--every-hop", "--hop-rate", "0",
                "--rate", "100000")
    p.terminate()
    p.wait()


def scamper(ns):
    if not shutil.which("scamper"):
        print("scamper: skipped, not installed (package scamper)")
        return
    with ns:
        start = time.monotonic()
        p = subprocess.run(["scamper", "-p", "10000", "-o", DIR.name + "/scamper", "-O", "json", "-c",
                            "trace -P udp-paris -q 1 -w 1", "-f", listed(TARGETS)],
                           capture_output=True, text=True, timeout=300, check=False)
        took = time.monotonic() - start
    if p.returncode:
        print("scamper: skipped, %s" % p.stderr.strip().splitlines()[-1:])
        return
    with open(DIR.name + "/scamper", encoding="ascii") as f:
        traces = [r for r in map(json.loads, f) if r["type"] == "trace"]
    print("%-40s %.3f s, %d of %d reached, %d probes (as root)" %
          ("scamper trace -P udp-paris", took, sum(r["stop_reason"] == "COMPLETED" for r in traces),
           TARGETS, sum(r["probe_count"] for r in traces)))


def kernel_routers():
    lab = chain.Chain(N)
    print("eight kernel routers on the same processors, without limits:")
    best_of("every hop", lab.here, TARGETS, "--every-hop", *FAST)
    best_of("shared hops", lab.here, TARGETS, *FAST)
    scamper(lab.here)


def held_back(ns):
    with ns, open("/proc/thread-self/net/snmp", encoding="ascii") as f:
        rows = [line.split() for line in f if line.startswith("Icmp:")]
    row = dict(zip(rows[0][1:], map(int, rows[1][1:])))
    return row["OutTimeExcds"], row.get("OutRateLimitHost", 0) + row.get("OutRateLimitGlobal", 0)


def default_limits():
    lab = chain.Chain(N, limited=True)
    print("eight kernel routers, default limits (6 errors at once, 1 a second):")
    sums = run(lab.here, TARGETS, "--rate", "100000")
    gave = [held_back(r) for r in lab.routers]
    print("    " + sums["said"].strip().replace("\n", "\n    "))
    print("    errors given by each router %s, held back by its limit %s; load %.1f" %
          ([g for g, _ in gave], [h for _, h in gave], os.getloadavg()[0]))
    limit(sums["with_pmtu"] == TARGETS, "path MTU of all")
    limit(sum(h for _, h in gave) <= N, "routers asked within their limits")
    limit(sums["debt_ns"] > 1e12, "the time that it would honestly need is told")


def alone():
    """In a network of its own. Root runs at once when it has something to do, like
    the other benches, and sockpath as nobody."""
    if os.geteuid():
        netns.isolate(pin=False)
        return ["setpriv", "--bounding-set=-all", "--no-new-privs"]
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    netns._call("unshare", netns.CLONE_NEWNET)
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all",
            "--no-new-privs"]


NOBODY = alone()
print("2 threads on %d processors, %s, load %.1f" %
      (os.cpu_count(), "SCHED_FIFO" if os.sched_getscheduler(0) == os.SCHED_FIFO else "SCHED_OTHER",
       os.getloadavg()[0]))
if os.access("/dev/net/tun", os.W_OK):
    one_process()
else:
    print("routers that cost nothing: skipped, /dev/net/tun is not ours")
kernel_routers()
default_limits()
print("not met: " + "; ".join(bad) if bad else "all limits met")
sys.exit(4 if bad else 0)
