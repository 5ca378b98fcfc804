#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Large labs, many labs at once, what a lab's programs may do, and what socknet
says where something is missing or refused."""
import concurrent.futures as futures
import os
import subprocess
import sys
import tempfile
import time

SRC, BUILD = os.environ["SOCKEYE_SRC"], os.environ["SOCKEYE_BUILD"]
sys.path.insert(0, SRC + "/tests")
from tap import done, ok, skip, skip_all  # noqa: E402

SOCKNET = BUILD + "/prog/socknet/socknet"
TWO = "host client server\nlink client server 10.1.0.1/24 10.1.0.2/24 fd01::1/64 fd01::2/64\n"


def run(*words, before=(), text=None, stdin=""):
    """Status, standard output, standard error. text: a lab file, put where {} stands."""
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        path = d + "/x.lab"
        if text is not None:
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
        argv = [path if w == "{}" else w for w in words]
        p = subprocess.run([*before, SOCKNET, *argv], input=stdin, capture_output=True,
                           text=True, timeout=60, check=False)
        return p.returncode, p.stdout, p.stderr.replace(path, "x.lab")


def chain(n):
    """n hosts in a row; an answer from the far end has passed all of them."""
    lines = ["host " + " ".join("h%d" % i for i in range(n)),
             "forward " + " ".join("h%d" % i for i in range(1, n - 1))]
    for i in range(n - 1):
        lines.append("link h%d h%d 10.0.%d.1/24 10.0.%d.2/24 fd00:%x::1/64 fd00:%x::2/64"
                     % (i, i + 1, i, i, i, i))
    for i in range(n - 2):
        lines.append("route h%d 10.0.%d.0/24 via 10.0.%d.2" % (i, n - 2, i))
        lines.append("route h%d fd00:%x::/64 via fd00:%x::2" % (i, n - 2, i))
    for i in range(2, n):
        lines.append("route h%d 10.0.0.0/24 via 10.0.%d.1" % (i, i - 1))
        lines.append("route h%d fd00:0::/64 via fd00:%x::1" % (i, i - 1))
    lines.append("server h%d ready udp 7 socknet serve echo 7" % (n - 1))
    for v in "46":
        lines += ["run h0 as v%s status 0 sock -u -i -n1 --expect-answer --json=3 h%d.v%s 7"
                  % (v, n - 1, v), "witness v" + v,
                  "expect capture h0 udp src=h%d:7 ttl=%d" % (n - 1, 64 - (n - 2))]
    return "\n".join(lines) + "\n"


def big():
    status, out, err = run("run", "{}", text=chain(40))
    ok(status == 0, "a chain of 40 hosts answers over both families, every hop counted", out + err)
    network = chain(40).partition("server ")[0]
    took = []
    while len(took) < 3 and (not took or took[-1] >= 2):  # other work may be in the way
        start = time.monotonic()
        status = run("run", "{}", text=network)[0]
        took.append(time.monotonic() - start)
    ok(status == 0 and min(took) < 2, "40 hosts are up and down again in %.1f s" % min(took))


def together():
    with futures.ThreadPoolExecutor(10) as pool:
        got = list(pool.map(lambda _: run("run", "three-servers"), range(10)))
    ok(all(g[0] == 0 for g in got), "ten labs at once do not disturb each other",
       "\n".join(g[1] + g[2] for g in got if g[0]))


def inside():
    status, out, err = run("run", "{}", text=TWO + """
run client as user status 0 sh -c 'grep CapEff /proc/self/status; id -u; hostname'
expect user stdout /CapEff:.0000000000000000/
expect user stdout client
run client as deny ip link set server down
expect deny status 2
run client as raw sh -c "ping -c1 -W1 -I server 10.1.0.2 || true"
run client as name status 0 getent ahostsv6 server
expect name stdout fd01::2
run client as by status 0 getent ahostsv4 server.client
expect by stdout 10.1.0.2
run server as root root status 0 ip link set client down
run client as procs status 0 sh -c "ls /proc | grep -c '^[0-9][0-9]*$'"
expect procs stdout /^[1-9]$/
run client as down sock -u -i -n1 --wait=0 --json=3 10.1.0.2 7
expect down json type=fate fate=sent count=0
""")
    ok(status == 0, "programs are ordinary users in a network of their own, names resolve",
       out + err)
    status, out, err = run("run", "{}", text=TWO + """
start client as cat cat
type cat "one line"
expect cat stdout "one line"
eof cat
wait cat status 0
start client as sleep sleep 100
expect sleep running
signal sleep TERM
wait sleep status 143
run client within 200ms sleep 100
""")
    ok(status == 4 and "still running after 0.2 s" in out and "4 of 5" in out,
       "typed lines, end of input, signals; a program that hangs is ended and told", out + err)


def shell():
    status, out, err = run("shell", "three-servers", "client",
                           stdin="ip -n a -br addr\nsock -u -i -n1 a.v4 7 b.v4 7; echo $?\nexit 5\n")
    ok(status == 5, "the status of the shell is passed on", out + err)
    ok("10.1.0.2/24" in out, "ip -n knows the other hosts", out + err)
    ok("refused" in out + err and "\n3\n" in out, "the lab's servers run, the dead one is named",
       out + err)


BAD = [  # words, lab, status, what is said
    (["run", "no-such-lab"], None, 2, "'no-such-lab': no such file or lab"),
    (["run"], None, 2, "something is missing (expected run LAB ...)"),
    (["walk"], None, 2, "'walk': no such command (expected run, shell"),
    (["list", "x"], None, 2, "'x': one word too many"),
    (["shell", "echo"], None, 2, "something is missing (expected shell LAB HOST)"),
    (["shell", "echo", "nobody"], None, 2, "'nobody': no such host"),
    (["run", "/"], None, 2, "'/': "),
    (["check", "{}"], "host a\nlonk a\n", 2, "x.lab:2:1: 'lonk': not a verb"),
    (["run", "{}"], TWO + "run client no-such-program\n", 2, "x.lab: no program 'no-such-program'"),
    (["run", "{}"], TWO + "sysctl client net.ipv4.no_such_thing=1\n", 2,
     "x.lab:3: sysctl net.ipv4.no_such_thing=1: No such file"),
    (["run", "{}"], TWO + "\nroute client 10.9.0.0/16 via 10.8.0.1\n", 2, "x.lab:4: ip: "),
    (["run", "{}"], TWO + "filter client output drop it\n", 2, "x.lab:3: nft: "),
    (["run", "{}"], "host lonely\n" + TWO, 2,
     "x.lab:1:1: 'lonely': a host that is not connected"),
    (["run", "{}"], "host a\nrouter r\nlink a r 10.1.0.1/24 10.1.0.2/24\nrun r true\n", 2,
     "x.lab:4:1: 'r': a router runs no programs"),
    (["run", "{}"], "host a b\nlink a b 10.1.0.1/24 10.1.0.1/24\n", 2, "address was given before"),
    (["run", "{}"], "host a b c\nlink a b 10.1.0.1/24 10.1.0.2/24\n"
     "link b c 10.1.0.3/16 10.1.0.4/16\n", 2, "this host is in this network by line 2"),
    (["run", "{}"], "host a b\nlink a b 224.0.0.1/24 224.0.0.2/24\n", 2,
     "x.lab:2:10: '224.0.0.1/24': no host has this address"),
    (["run", "{}"], "include /tmp\n", 2, "x.lab:1:9: '/tmp': no such file"),
    (["serve", "echo", "0"], None, 2, "'0': not such a service"),
    (["serve", "tea", "7"], None, 2, "'tea': not such a service"),
    (["serve", "echo", "7777", "echo"], None, 2, "'echo': no port"),
]


def bad():
    for words, text, want, says in BAD:
        status, out, err = run(*words, text=text)
        ok(status == want and says in err and err.count("\n") == 1 and not out,
           "one line says: " + says, "status %d\n%s%s" % (status, out, err))
    status, out, err = run("run", "{}", text="needs no-such-program\n" + TWO)
    ok(status == 0 and "no program no-such-program here" in out, "a lab that needs more is skipped")
    status, out, err = run("run", "{}", text=TWO + "server client ready udp 9 true\n")
    ok(status == 4 and "it ended" in out, "a server that ends before it is ready is told", out)


def full():
    with open("/dev/full", "w", encoding="ascii") as f:
        for words in (["run", "echo"], ["list"]):
            p = subprocess.run([SOCKNET, *words], stdin=subprocess.DEVNULL, stdout=f,
                               stderr=subprocess.PIPE, text=True, timeout=60, check=False)
            ok(p.returncode == 1 and p.stderr.count("\n") == 1,
               words[0] + ": a full disk behind standard output is told", p.stderr)
    status, _, err = run("--ledger=/dev/full", "run", "lying-router")
    ok(status == 1 and "/dev/full" in err, "a ledger that finds no room is told", err)


def refused():
    """User namespaces are switched off for a user namespace of our own."""
    closed = "echo 0 >/proc/sys/user/max_user_namespaces; exec \"$@\""
    enter = ["unshare", "-Ur", "sh", "-c", closed, "sh"]
    if subprocess.run(enter + ["true"], capture_output=True, check=False).returncode:
        skip("where user namespaces are refused", "unshare -Ur does not work here")
        return
    weak = enter + ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]
    status, out, err = run("run", "echo", before=weak)
    ok(status == 1 and err.count("\n") == 1 and not out and
       "sysctl -w user.max_user_namespaces" in err,
       "no namespaces for an ordinary user: one line, the setting that mends it", out + err)
    status, out, err = run("run", "echo", before=enter)
    ok(status == 0, "root needs no user namespaces", out + err)
    for kind in ("net", "mnt", "pid", "ipc", "uts"):
        shut = [w.replace("user_n", kind + "_n") for w in enter]
        status, out, err = run("run", "echo", before=shut)
        ok(status == 1 and err.count("\n") == 1 and "sysctl -w user.max_%s_namespaces" % kind in err,
           "no %s namespaces: one line, the setting that mends it" % kind, out + err)


first = run("run", "echo")
if first[0] == 1:
    skip_all(first[2].strip())
for part in (big, together, inside, shell, bad, full, refused):
    part()
done()
