#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Routers of labs: many of them, many labs of them at once, their ledgers, and
what happens when one is killed."""
import concurrent.futures as futures
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

SRC, BUILD = os.environ["SOCKEYE_SRC"], os.environ["SOCKEYE_BUILD"]
sys.path.insert(0, SRC + "/tests")
from tap import done, ok, skip, skip_all  # noqa: E402

SOCKNET = BUILD + "/prog/socknet/socknet"


def run(work, text, *options):
    """Status, standard output and error of a lab."""
    path = os.path.join(work, "x.lab")
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    p = subprocess.run([SOCKNET, *options, "run", path], stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, timeout=60, check=False)
    return p.returncode, p.stdout, p.stderr


def many(work):
    """Thirty routers and ten more hosts behind the last."""
    extra = "".join("host x%d\nlink d x%d 10.200.%d.1/24 10.200.%d.2/24\n" % (i, i, i, i)
                    for i in range(8))
    took = []
    while len(took) < 3 and (not took or took[-1] >= 2):  # other work may be in the way
        start = time.monotonic()
        status, out, err = run(work, "include chain-30\n" + extra + "run s true\n")
        took.append(time.monotonic() - start)
    ok(status == 0 and min(took) < 2,
       "40 hosts, 30 of them routers of ours, are up and down again in %.1f s" % min(took),
       out + err)


def together():
    def one(_):
        return subprocess.run([SOCKNET, "run", "labels-in-errors"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=False)
    with futures.ThreadPoolExecutor(10) as pool:
        got = list(pool.map(one, range(10)))
    ok(all(g.returncode == 0 for g in got), "ten labs with routers at once do not disturb "
       "each other", "\n".join(g.stdout + g.stderr for g in got if g.returncode))


def ledgers(work):
    to = os.path.join(work, "ledger.json")
    lab = ("include pair\nrun client status 3 sock -u -i -n3 -J 2 --expect-answer server.v4 7\n"
           "run client status 3 sock -u -i -n1 -J 1 --expect-answer server.v6 7\n")
    status, out, err = run(work, lab, "--ledger", to)
    with open(to, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    ended = [r for r in rows if r["did"] == "ttl"]
    ok(status == 0 and all(r["type"] == "passage" and r["v"] == 1 for r in rows),
       "--ledger writes records, one object a line", out + err)
    ok([(r["router"], r["dst"], r["dport"], r["icmp_type"], r["in"]) for r in ended] ==
       [("r1", "fd00:2::2", 7, 3, "client")] + 3 * [("r2", "10.0.2.2", 7, 11, "r1")],
       "each packet stands there once, with its router and what was answered", ended)
    ok(sum(r["did"] == "originated" for r in rows) == 4, "errors stand there too")
    status, out, err = run(work, lab, "--ledger", "/dev/full")
    ok(status == 1 and "/dev/full" in err, "a full disk is told", err)
    status, out, err = run(work, lab, "--ledger", work + "/no/where")
    ok(status == 1 and "no/where" in err and "expectations" not in out,
       "a file that cannot be is told before anything is built", out + err)


def failing(work):
    status, out, err = run(work, "include pair\nrun client sock -u -i -n1 --wait=0 server.v4 9\n"
                           "expect router r1 did=lost within 100ms\n")
    ok(status == 4 and "r1       forwarded" in out, "a failed lab prints the end of the ledgers",
       out + err)


def pauses(work):
    start = time.monotonic()
    status, out, err = run(work, "host a\nstart a as cat cat\ntype cat after 10s hello\n"
                           "expect cat stdout hello\npause 10s\neof cat\nwait cat status 0\n",
                           "--speed", "50")
    took = time.monotonic() - start
    ok(status == 0 and 0.4 <= took < 5 and "pauses 50 times as fast" in out,
       "declared pauses are made shorter, and the result says so", out + err)


def root_only(work):
    lab = ("host a\nneeds root \"to own this machine's clock\"\n"
           "run a as map root cat /proc/self/uid_map\nexpect map stdout 4294967295\n")
    status, out, err = run(work, lab)
    if os.geteuid() == 0:
        ok(status == 0, "a lab that needs root has no user namespace", out + err)
        os.chmod(work, 0o755)
        p = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                            SOCKNET, "run", os.path.join(work, "x.lab")], text=True, check=False,
                           stdin=subprocess.DEVNULL, capture_output=True)
        if p.returncode in (126, 127):
            skip("a lab that needs root says why", "this tree is closed to others")
            return
        status, out, err = p.returncode, p.stdout, p.stderr
    ok(status == 0 and out == "skipped: needs root: to own this machine's clock\n",
       "a lab that needs root says why", out + err)


def parent_of(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as f:
            return int(f.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def family(root):
    parents = {int(p): parent_of(int(p)) for p in os.listdir("/proc") if p.isdigit()}
    found, news = set(), {root}
    while news:
        found |= news
        news = {p for p, parent in parents.items() if parent in found} - found
    return sorted(found)


def named(pid):
    try:
        with open("/proc/%d/comm" % pid, encoding="ascii") as f:
            return f.read().strip()
    except OSError:
        return ""


def kill(work, sig):
    path = os.path.join(work, "k.lab")
    with open(path, "w", encoding="ascii") as f:
        f.write("include pair\nrun client within 60s sh -c 'echo running; sleep 50'\n")
    p = subprocess.Popen([SOCKNET, "run", path], stdin=subprocess.DEVNULL, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    said = ""
    for line in p.stdout:
        said += line
        if line == "running\n":
            break
    pids = family(p.pid)
    fds = [os.pidfd_open(pid) for pid in pids]
    victim = [pid for pid in pids if named(pid) == "r2"]
    caps = open("/proc/%d/status" % victim[0], encoding="ascii").read() if victim else ""
    if victim and sig:
        os.kill(victim[0], sig)
    else:
        os.killpg(p.pid, signal.SIGINT)
    said += p.stdout.read()
    status = p.wait(20)
    p.stdout.close()
    left = [pid for pid, fd in zip(pids, fds) if not is_dead(fd)]
    for fd in fds:
        os.close(fd)
    return status, said, left, caps


def is_dead(fd):
    try:
        signal.pidfd_send_signal(fd, 0)
    except ProcessLookupError:
        return True
    return False


def killed(work):
    status, said, left, caps = kill(work, signal.SIGKILL)
    ok(status == 4 and "router r2 ended, by signal 9" in said,
       "kill -9 of a router ends the lab, which says so", said)
    ok(not left, "and no process of it is left", left)
    ok("CapEff:\t0000000000000000" in caps and "CapBnd:\t0000000000000000" in caps and
       "NoNewPrivs:\t1" in caps, "a router has no privileges while it forwards", caps)
    status, said, left, _ = kill(work, 0)
    ok(status == 4 and not left, "Ctrl-C ends routers with their lab", said)


probe = subprocess.run([SOCKNET, "run", "echo"], capture_output=True, text=True, check=False,
                       stdin=subprocess.DEVNULL)
if probe.returncode == 1:
    skip_all(probe.stderr.strip())
with tempfile.TemporaryDirectory() as d:
    many(d)
    together()
    ledgers(d)
    failing(d)
    pauses(d)
    root_only(d)
    killed(d)
done()
