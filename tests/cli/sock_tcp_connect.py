#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sock over TCP: a connect that fails says why and who."""
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile

import sockbed
import tcpbed
from sockbed import SOCK, sock
from tap import done, ok, skip, skip_all
from tcpbed import closed

if not shutil.which("nft"):
    skip_all("no nft (package nftables)")
sockbed.enter("link add v0 type veth peer name v1", "addr add 10.9.0.1/24 dev v0",
              "addr add fd09::1/64 dev v0 nodad", "link set v0 up", "link set v1 up",
              "route add prohibit 10.8.0.0/24", "route add blackhole 10.7.0.0/24",
              "route add unreachable 10.6.0.0/24")
RULES = [("81", "reject with icmpx admin-prohibited"), ("82", "drop"), ("83", "reject with tcp reset"),
         ("84", "reject with icmpx host-unreachable"), ("85", "reject with icmpx port-unreachable")]
subprocess.run(["nft", "-f", "-"], text=True, check=True, input="""
table inet f {
    chain i {
        type filter hook input priority 0
        %s
    }
    chain o {
        type filter hook output priority 0
        oif v0 tcp dport 91 reject with icmpx admin-prohibited
        oif v0 tcp dport 92 drop
    }
}""" % "\n".join("tcp dport %s %s" % r for r in RULES))


def told(text):
    return re.sub(r"\d+\.\d{3} s", "T s", text)


HERE = {"127.0.0.1": "127.0.0.1.", "::1": "[::1]:"}
for host, end in HERE.items():
    six = ":" in host
    icmp = ("ICMPv6 1/1", "ICMP 3/13")[not six]
    r = sock(host, closed(host))
    ok(r.returncode == 3 and re.fullmatch(r"connect to %s\d+: refused by the host itself \(RST\)\n" % re.escape(end),
                                          r.err), host + ": refused by a RST", r.all)
    r = sock(host, 83)
    ok(r.returncode == 3 and "refused by the host itself (RST)" in r.err, host + ": a filter that forges a RST", r.all)
    r = sock(host, 81)
    ok(r.returncode == 3 and "still trying, no answer to 1 SYN in" in r.err.splitlines()[0]
       and "soft error so far: filtered, administratively prohibited, says %s (%s)" % (host, icmp) in r.err.splitlines()[0]
       and r.err.splitlines()[1] == "connect to %s81: filtered, administratively prohibited, says %s (%s)" % (end, host, icmp),
       host + ": an error inside the connect call is soft, then ends it", r.all)
    r = sock("--timeout", "0.3", host, 84)
    ok(r.returncode == 3 and "soft error so far: host unreachable, " in r.err
       and r.err.count("says " + host) == 2 and "4.4BSD kept sending SYNs for 75 s" in r.err,
       host + ": still trying, a soft error so far, and what older systems did", r.all)
    r = sock(host, 85)
    ok(r.returncode == 3 and "by a firewall on that host: without one it would have sent a RST" in r.err,
       host + ": port unreachable by the host is a firewall's word", r.all)
    r = sock("--timeout", "1.1", host, 82)
    ok(r.returncode == 3 and told(r.err) == "connect to %s82: silent, no answer to 2 SYNs in T s\n" % end,
       host + ": silence, the SYNs counted", r.all)
    r = sock("--timeout", "1.1", "-v", host, 82)
    ok("(4.4BSD sent SYNs" in r.err, host + ": with -v what older systems did", r.all)

subprocess.run(["ip", "neigh", "flush", "all"])
r = sock("10.9.0.77", 80)
ok(r.returncode == 3 and told(r.err) == "connect to 10.9.0.77.80: no neighbour answered 3 ARP requests in T s: "
   "nothing has left this host\n", "no neighbour, the requests counted", r.all)
r = sock("fd09::77", 80)
ok(r.returncode == 3 and told(r.err) == "connect to [fd09::77]:80: no neighbour answered 3 neighbour solicitations "
   "in T s: nothing has left this host\n", "no neighbour over IPv6", r.all)
r = sock("--timeout", "0.2", "10.9.0.78", 80)
ok(r.returncode == 3 and "no neighbour answered 1 ARP request in" in r.err and "so far" in r.err,
   "no neighbour so far, when time is up", r.all)
for host, what in (("192.0.2.1", "no route from this host (ENETUNREACH)"), ("10.8.0.1", "denied by this host (EACCES)"),
                   ("10.7.0.1", "no route from this host (EINVAL)"), ("2001:db8::1", "no route from this host (ENETUNREACH)"),
                   ("10.6.0.1", "no route from this host (EHOSTUNREACH)")):
    r = sock(host, 80)
    ok(r.returncode == 3 and r.err.endswith(": %s\n" % what), "%s: %s" % (host, what), r.all)
r = sock("10.9.0.77", 91)
ok(r.returncode == 3 and "filtered by this host" in r.err, "a filter on this host, on the way out", r.all)

# --- a host's several addresses, each told, one enough ---
served, port = tcpbed.listening("127.0.0.3")
with tempfile.TemporaryDirectory() as d:
    hosts = os.path.join(d, "hosts")
    with open(hosts, "w") as f:
        f.write("127.0.0.2 many.test\n127.0.0.3 many.test\n127.0.0.4 none.test\n127.0.0.5 none.test\n")
    run = "mount --bind %s /etc/hosts && exec %s -v -i -n1 %%s %d" % (hosts, SOCK, port)

    def inside(name):
        return subprocess.run(["unshare", "-m", "sh", "-c", run % name], capture_output=True, text=True, timeout=20)

    r = inside("many.test")
    if "mount" in r.stderr and "denied" in r.stderr:
        skip("all addresses of a name are tried in turn", "no mount namespace")
        skip("all of them fail", "no mount namespace")
    else:
        ok(r.returncode == 0 and r.stderr.startswith("connect to 127.0.0.2.%d: refused" % port)
           and "connected on" in r.stderr, "all addresses of a name are tried in turn", r.stderr)
        r = inside("none.test")
        ok(r.returncode == 3 and re.findall(r"connect to ([\d.]+)\.%d: refused" % port, r.stderr) ==
           ["127.0.0.4", "127.0.0.5"], "all of them fail, each is told", r.stderr)

# --- JSON ---
r = sock("-i", "--json", "127.0.0.1", 81)
j = [json.loads(x) for x in r.out.splitlines()]
ok(len(j) == 1 and j[0]["type"] == "fate" and j[0]["fate"] == "filtered" and j[0]["proto"] == "tcp"
   and j[0]["by"] == "127.0.0.1" and (j[0]["icmp_type"], j[0]["icmp_code"]) == (3, 13)
   and j[0]["evidence"] == "queue" and j[0]["trust"] == "matched" and j[0]["dport"] == 81,
   "JSON: who said so, and the quoted SYN is ours", r.all)
r = sock("-i", "--json", "--timeout", "0.2", "127.0.0.1", 82)
j = json.loads(r.out)
ok(j["fate"] == "silent" and j["evidence"] == "deadline", "JSON: silence", r.all)

# --- a soft error ends nothing: the connection is made when the filter goes ---
served2 = tcpbed.Peer("127.0.0.1", tcpbed.read_all)
subprocess.run(["nft", "add", "rule", "inet", "f", "i", "tcp", "dport", str(served2.port), "reject"], check=True)
p = sockbed.Live("-v", "-i", "-n1", "127.0.0.1", served2.port)
soft = p.await_text("soft error so far")
subprocess.run(["nft", "flush", "chain", "inet", "f", "i"], check=True)
ok(soft and p.end(None) == 0 and "connected on" in p.err and served2.result()[1] == "fin",
   "the next SYN gets through: connected after a soft error", p.err)

# --- ends of our own ---
r = sock("-b", "5999", "127.0.0.1", closed("127.0.0.1"))
ok(r.returncode == 3 and "refused" in r.err, "-b", r.all)
holder, held = tcpbed.listening("127.0.0.1")
r = sock("-b", held, "127.0.0.1", held)
ok(r.returncode == 1 and "can't bind local address: Address already in use" in r.err, "-b with a port that is taken", r.all)
p = sockbed.Live("-v", "-l", "127.0.0.9.5998", "127.0.0.1", held)
ok(p.await_text(r"connected on 127\.0\.0\.9\.5998 to 127\.0\.0\.1\.%d" % held), "-l", p.err)
p.end()
subprocess.run(["nft", "add", "rule", "inet", "f", "i", "tcp", "dport", "82", "drop"], check=True)
p = sockbed.Live("-v", "127.0.0.1", "82")
tcpbed.until(lambda: ":82" in tcpbed.ss("-t", "state", "syn-sent"))
status = p.end()
ok("still trying, no answer to" in p.err, "Ctrl-C while it tries: what is known so far", "%d %s" % (status, p.err))
done()
