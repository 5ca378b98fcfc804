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


RIGHT = """include pair
link r1 r2 10.9.1.1/24 10.9.1.2/24 mtu 296
route r1 10.0.2.2 via 10.9.1.2
router r1 toward client delay 100ms
sysctl client net.ipv4.ip_no_pmtu_disc=1
server server ready udp 7 socknet serve echo 7
run client as p sock -u -i -n1 -w650 -r650 --expect-answer --json=3 server.v4 7
"""

# What holds, and beside it what does not, by one word.
PAIRS = [
    ("router r1 did=fragmented dst=server:7 out=r2_2 mtu=296 count=1", "mtu=296", "mtu=297"),
    ("router r1 did=forwarded proto=udp dst=server:7 count=1", "count=1", "count=2"),
    ("router r1 did=forwarded src=server:7 ttl=62 count=1", "src", "dst"),
    ("router r2 did=forwarded off=272 dst=server more=yes count=1", "yes", "no"),
    ("fragments server 272@0+ 272@272+ 114@544", "114@544", "113@544"),
    ("fragments server 272@0+ 272@272+ 114@544 count=1", "count=1", "count=2"),
    ("fragments client 658@0 dir=out", "658@0", "650@0"),
    ("capture server udp src=client:$a dst=server:7 more=yes count=1", "yes", "no"),
    ("capture client udp src=server:7 dst=client:$a count=1", "$a", "1"),
    ("p json type=summary sent=1", "sent=1", "sent=2"),
    ("capture server piece off=544 piece=114 count=1", "544", "545"),
    ("packets client {\nout udp dst=server:7 src=client:$b\nin udp dst=client:$b "
     "after=100ms..2s\n}", "100ms..2s", "1ms..50ms"),
    ("packets client {\nout udp dst=server:7\nin udp src=server:7 len=650\n}", "650", "649"),
    ("packets server {\nin udp more=yes\nin piece off=272\nin piece off=544\nout udp\n}",
     "in piece off=272\nin piece off=544", "in piece off=544\nin piece off=272"),
]


def truths(work):
    """Expectations are met by what happened, and by nothing else."""
    right = "".join("expect %s\n" % row for row, _, _ in PAIRS)
    status, out, err = run(work, RIGHT + right)
    ok(status == 0, "all that holds is found to hold", out + err)
    wrong = ""
    for row, was, becomes in PAIRS:
        assert was in row
        lie = row.replace(was, becomes)
        wrong += "expect %s\n" % (lie.replace(" {", " within 50ms {", 1) if "{" in lie
                                  else lie + " within 50ms")
    status, out, err = run(work, RIGHT + "expect capture server udp src=client:$a count=1\n" + wrong)
    met = [line for line in out.splitlines() if line.startswith("ok ")]
    ok(status == 4 and len(met) == 1 and out.count("FAILED") == len(PAIRS),
       "of the same with one word wrong nothing is met", out + err)


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
    truths(d)
    pauses(d)
    root_only(d)
    killed(d)
done()
