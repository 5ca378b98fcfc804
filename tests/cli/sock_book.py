#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sock: each UDP command line of the literature, as it was printed, with the
addresses and names it was printed with."""
import os
import re
import subprocess
import sys
import tempfile

import sockbed
from sockbed import Live, discard, echo, sock
from tap import done, ok, skip_all

HOSTS = {"sun": "140.252.13.33", "svr4": "140.252.13.34", "bsdi": "140.252.13.35",
         "slip": "140.252.13.65", "solaris": "140.252.1.32"}

if os.environ.get("SOCKBED") != "in":
    if subprocess.run(["unshare", "-rmn", "true"], capture_output=True).returncode:
        skip_all("namespaces are not allowed here")
    os.environ["SOCKBED"] = "in"
    os.execvp("unshare", ["unshare", "-rmn", sys.executable] + sys.argv)
with tempfile.NamedTemporaryFile("w") as f:
    f.writelines("%s %s\n" % (a, n) for n, a in HOSTS.items())
    f.flush()
    subprocess.run(["mount", "--bind", f.name, "/etc/hosts"], check=True)
sockbed.enter("link add v0 type veth peer name v1", "link set v0 up", "link set v1 up",
              "addr add 140.252.1.29/24 dev v0", "addr add 140.252.1.32/24 dev v0",
              *("addr add %s/27 brd + dev v0" % HOSTS[h] for h in ("sun", "svr4", "bsdi", "slip")))
peers = {h: discard(HOSTS[h], 9) for h in ("svr4", "slip", "solaris")}


def sizes(line, host, want):
    """The line as printed; then what arrived at the discard server."""
    before = len(peers[host].got)
    r = sock(*line.split()[1:], "--wait", "0")
    peers[host].await_count(before + len(want))
    got = [len(d) for d, _ in peers[host].got[before:]]
    ok(got == want and r.returncode == 0, line, "%s\n%s" % (got[:20], r.all))
    return r


r = sizes("sock -v -u -i -n4 svr4 discard", "svr4", [1024] * 4)
ok(re.search(r"^connected on 140\.252\.13\.\d+\.\d+ to 140\.252\.13\.34\.9$", r.err, re.M), "its line", r.err)
sizes("sock -v -u -i -n4 -w0 svr4 discard", "svr4", [0] * 4)
for n in (1471, 1472, 1473, 1474, 8192):
    sizes("sock -u -i -n1 -w%d svr4 discard" % n, "svr4", [n])
sizes("sock -u -i -w1024 -n100 solaris discard", "solaris", [1024] * 100)
p = Live(*"-u -i -n10 -w650 -p5 slip discard".split())
peers["slip"].await_count(1)
running = p.p.poll() is None
p.end()
ok(running and re.search(r"140\.252\.13\.65\.9 +1 ", p.err) and len(peers["slip"].got[0][0]) == 650,
   "sock -u -i -n10 -w650 -p5 slip discard pauses for seconds", p.err)
for host in ("svr4", "bsdi", "solaris"):
    echo(HOSTS[host], 7)
r = sock("-u", "svr4", "echo", input=b"12345678\n")
ok(r.stdout == b"12345678\n", "nine bytes to the echo server", r.all)

# The queue that overflows, on the broadcast and the unicast address.
p = Live(*"-s -u -v -E -R256 -r256 -P30 6666".split())
p.await_text("waiting on")
sun = Live(*"-u -v 140.252.13.63 6666".split())
svr4 = Live(*"-u -v bsdi 6666".split())
ok(sun.await_text(r"connected on 140\.252\.13\.\d+\.\d+ to 140\.252\.13\.63\.6666") and "SO_BROADCAST" in sun.err,
   "sock -u -v 140.252.13.63 6666", sun.err)
ok(svr4.await_text(r"connected on \S+ to 140\.252\.13\.35\.6666"), "sock -u -v bsdi 6666", svr4.err)
for i, (client, line) in enumerate(((sun, b"1111111111\n"), (svr4, b"4444444444444\n"), (sun, b"222222222\n"),
                                    (svr4, b"555555555555555\n"), (sun, b"33333333333\n"), (svr4, b"66666666\n"))):
    before = sockbed.queue(6666)
    client.type(line)
    sockbed.await_change(before, 6666)	# else two lines may be one read
    if i >= 2:
        p.await_text("(dropped at a full receive buffer.*){%d}" % (i - 1))
p.end()
ok(len(re.findall("dropped at a full", p.err)) == 4 and "never read, 2 datagrams" in p.err,
   "sock -s -u -v -E -R256 -r256 -P30 6666: four of six are lost, each told when it is", p.err)
sun.end()
svr4.end()


def serve(line):
    p = Live(*line.split()[1:], "-v")
    p.await_text("waiting on|connected on|bind local")
    return p


def bound(line, end):
    p = serve(line)
    ss = subprocess.run(["ss", "-uanH"], capture_output=True, text=True).stdout
    ok(end in ss, line, ss + p.err)
    return p


bound("sock -u -s 7777", "*:7777").end()
bound("sock -u -s 140.252.1.29 7777", "140.252.1.29:7777").end()
p = bound("sock -u -s -f 140.252.13.35.4444 5555", "140.252.13.35:4444")
p.end()

# Five servers: the first one, as printed, was without -A.
first = serve("sock -u -s 140.252.1.29 8888")
rest = [serve("sock -u -s -A %s 8888" % a) for a in (HOSTS["sun"], "127.0.0.1", "140.252.13.63")]
ok(all("waiting on" in s.err for s in [first] + rest), "four servers on 8888, as printed", [s.err for s in rest])
r = sock(*"-u -s -A 8888".split())
ok(r.returncode == 1 and "can't bind local address: Address already in use" in r.err
   and "start that one again with -A" in r.err, "the fifth says why not, and what to type", r.all)
first.end()
first = serve("sock -u -s -A 140.252.1.29 8888")
last = serve("sock -u -s -A 8888")
ok("waiting on *.8888" in last.err, "and then it works", last.err)
for s in [first, last] + rest:
    s.end()
p = serve("sock -u -s 9999")
r = sock(*"-u -s 9999".split())
ok(r.returncode == 1 and r.err.startswith("can't bind local address: Address already in use\n"),
   "sock -u -s 9999 a second time", r.all)
r = sock(*"-u -s -A 9999".split())
ok(r.returncode == 1 and r.err.startswith("can't bind local address: Address already in use\n")
   and "-A" in r.err.splitlines()[1], "sock -u -s -A 9999", r.all)
p.end()
done()
