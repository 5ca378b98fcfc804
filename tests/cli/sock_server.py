#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sock as server and sink: what is printed, answered, shared and lost."""
import json
import re
import shutil
import socket
import subprocess
import tempfile

import sockbed
from sockbed import SOCK, Live, sock
from tap import done, ok, skip

sockbed.enter("link add v0 type veth peer name v1", "addr add 10.9.0.1/24 dev v0",
              "addr add 10.9.0.2/24 dev v0", "link set v0 up", "link set v1 up")


def client(address="127.0.0.1"):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.settimeout(sockbed.DEADLINE)
    return s


def server(*args):
    p = Live("-u", "-s", "-v", *args)
    p.ready = p.await_text("waiting on|connected on|bind local")
    return p


# --- what is printed ---
p = server("7777")
ok(re.search(r"^waiting on \*\.7777$", p.err, re.M), "a server of any address", p.err)
a, b = client(), client("::1")
a.sendto(b"hello\n", ("127.0.0.1", 7777))
ok(p.await_text(r"^from 127\.0\.0\.1: hello\n"), "from A: and the data, IPv4", p.out)
b.sendto(b"world\n", ("::1", 7777))
ok(p.await_text(r"^from ::1: world\n"), "the same, IPv6, on the same socket", p.out)
p.type(b"to the last\n")
data, peer = b.recvfrom(100)
ok((data, peer[:2]) == (b"to the last\n", ("::1", 7777)), "a typed line goes to the last client", (data, peer))
a.sendto(b"x\n", ("10.9.0.2", 7777))
p.await_text(": x\n")
p.type(b"again\n")
data, peer = a.recvfrom(100)
ok((data, peer) == (b"again\n", ("10.9.0.2", 7777)), "it leaves from the address that was asked", (data, peer))
a.sendto(b"", ("127.0.0.1", 7777))
ok(p.await_text(r"^from 127\.0\.0\.1: \(0 bytes\)\n"), "an empty datagram is data", p.out)
a.close()
gone = client()
gone.sendto(b"y\n", ("127.0.0.1", 7777))
p.await_text(": y\n")
gone.close()
p.type(b"anybody?\n")
ok(p.await_text(r"refused, port unreachable, says 127\.0\.0\.1") and p.p.poll() is None,
   "an error about an answer is told and does not end the server", p.err)
b.sendto(b"still\n", ("::1", 7777))
ok(p.await_text("^from ::1: still"), "it goes on serving", p.out)
status = p.end()
ok(status == 3 and re.search(r"^received 6 datagrams, \d+ bytes$", p.err, re.M)
   and re.search(r"^ +1  refused", p.err, re.M), "Ctrl-C: the summary and the status so far", p.err)
p = server("7777")
p.type(b"nobody\n")
ok(p.await_text("nobody to answer"), "a line typed before anybody was heard", p.err)
p.p.stdin.close()
b.sendto(b"after\n", ("::1", 7777))
ok(p.await_text("^from ::1: after"), "the end of input does not end a server", p.out)
ok(p.end() == 0, "a server to which nothing bad happened: status 0", p.err)

p = Live("-u", "-s", "-E", "-v", "7777")
p.await_text("waiting on")
ok("IP_RECVDSTADDR set" in p.err, "-E: IP_RECVDSTADDR set", p.err)
a = client()
a.sendto(b"direct\n", ("10.9.0.2", 7777))
ok(p.await_text(r"^from 10\.9\.0\.[12], to 10\.9\.0\.2: direct\n"), "-E: from A, to D:", p.out)
a.sendto(b"all\n", ("10.9.0.255", 7777))
ok(p.await_text(r"^from 10\.9\.0\.1, to 10\.9\.0\.255: all\n"), "-E: a broadcast", p.out)
b.sendto(b"six\n", ("::1", 7777))
ok(p.await_text(r"^from ::1, to ::1: six\n"), "-E: IPv6", p.out)
p.end()

p = Live("-u", "-s", "-r", "256", "--json=2", "7777")
s = client()
for _ in range(100):
    s.sendto(b"z" * 1000, ("127.0.0.1", 7777))
    if p.await_text(r"^\(datagram truncated\)\nz{256}", 0.2):
        break
ok("(datagram truncated)\n" in p.out, "a truncated datagram is shown so without -v", p.out)
ok(p.await_text(r"from 127\.0\.0\.1\.\d+: truncated, 256 of 1000 bytes kept"), "with its real length", p.err)
ok(p.await_text(r'"fate":"truncated",.*"src":"127.0.0.1",.*"dport":7777,.*"full_len":1000'), "and in JSON", p.err)
p.end()

p = subprocess.Popen([SOCK, "-u", "-s", "-v", "7777"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE)
while b"waiting" not in p.stderr.readline():
    pass
p.stdout.close()
s.sendto(b"to a closed pipe\n", ("127.0.0.1", 7777))
p.stdin.flush()
ok(p.wait(sockbed.DEADLINE) == 1 and b"write error" in p.stderr.read(), "a reader that goes away ends a server: status 1")

# --- overflow: the book's experiment ---
p = Live("-s", "-u", "-v", "-E", "-R256", "-r256", "-P2", "6666")
p.await_text("waiting on")
said = re.search(r"^SO_RCVBUF = (\d+)", p.err, re.M)
ss = subprocess.run(["ss", "-uanmH", "sport = :6666"], capture_output=True, text=True).stdout
ok(said and "rb%s," % said.group(1) in ss, "-R256: what the kernel made of it, as ss says", p.err + ss)
ok("256 asked for" in p.err, "-R256: that it is not what was asked", p.err)
for n in (11, 14, 10, 16, 12, 9):
    s.sendto(b"%x" % n * n, ("127.0.0.1", 6666))
ok(p.await_text("dropped at a full receive buffer") and not p.out, "overflow is told while it pauses", p.err)
p.await_text("eeeeeeeeeeeeee")
status = p.end()
drops = sum(int(n or 1) for n in re.findall(r"full receive buffer(?:, (\d+) datagrams)?$", p.err, re.M))
ok(len(re.findall("from 127", p.out)) == 2 and drops == 4, "two of six are read, four are told", p.out + p.err)
ok(status == 3 and re.search(r"^this host +4  ", p.err, re.M), "and counted in the summary", p.err)

p = Live("-s", "-u", "-v", "-P30", "6666")
p.await_text("waiting on")
s.sendto(b"one", ("127.0.0.1", 6666))
s.sendto(b"two", ("127.0.0.1", 6666))
status = p.end()
ok(status == 3 and not p.out and re.search(r"at \[::\]:6666: arrived but never read, 2 datagrams$", p.err, re.M),
   "what arrived and was never read is told", "%d %s" % (status, p.err))

# --- sink ---
p = Live("-u", "-s", "-i", "-v", "5555")
p.await_text("waiting on")
for n in (0, 10, 1000):
    s.sendto(b"k" * n, ("127.0.0.1", 5555))
ok(p.await_text("received 0 bytes\nreceived 10 bytes\nreceived 1000 bytes\n"), "a sink; 0 bytes do not stop it", p.err)
ok(p.end() == 0 and "received 3 datagrams, 1010 bytes" in p.err and not p.out, "a sink's summary", p.err)
p = Live("-u", "-s", "-i", "--json", "5555")
while not p.await_text("truncated", 0.1):
    s.sendto(b"k" * 2000, ("127.0.0.1", 5555))
p.end()
lines = [json.loads(x) for x in p.out.splitlines()]
ok(lines[-1]["type"] == "summary" and lines[-1]["received"] >= 1
   and lines[-1]["truncated"] == lines[-1]["received"], "a sink's JSON", p.out)
p = Live("-u", "-s", "-i", "-v", "5555")
p.await_text("waiting on")
r = sock("-u", "-i", "-n20000", "-w64", "-p0", "127.0.0.1", "5555", "--wait", "0")
p.end()
n = int(re.search(r"received (\d+) datagram", p.err).group(1))
lost = re.search(r"^this host +(\d+)  ", p.err, re.M)
ok(n + int(lost.group(1) if lost else 0) == 20000, "every datagram is received or told as dropped", p.err[-400:])

# --- binding ---
p, q = server("-A", "127.0.0.1", "8888"), None
others = [server("-A", x, "8888") for x in ("10.9.0.1", "10.9.0.2", "10.9.0.255")] + [server("-A", "8888")]
ok(p.ready and all("waiting on" in o.err for o in others), "five servers on one port, all with -A",
   [o.err for o in others])
s.sendto(b"to two\n", ("10.9.0.2", 8888))
ok(others[1].await_text("to two"), "the most specific one gets it", [o.out for o in others])
for o in [p] + others:
    o.end()
p = server("127.0.0.1", "8888")
for extra, advice in (((), "start every one"), (("-A",), "without -A")):
    r = sock("-u", "-s", *extra, "8888")
    ok(r.returncode == 1 and r.err.startswith("can't bind local address: Address already in use\n")
       and advice in r.err, "the port is taken %s: why, and what to type" % " ".join(extra), r.all)
p.end()
r = sock("-u", "-s", "192.0.2.9", "8888")
ok(r.returncode == 1 and "can't bind local address: Cannot assign" in r.err and "192.0.2.9" in r.err,
   "not an address of this host", r.all)
p = server("-f", "127.0.0.1.4444", "5555")
ok(re.search(r"connected on 127\.0\.0\.1\.5555 to 127\.0\.0\.1\.4444", p.err), "-f sets the local address", p.err)
r = sock("-u", "-b", "4444", "127.0.0.1", "5555", input=b"let in\n")
ok(p.await_text("from 127.0.0.1: let in"), "-f: that client is heard", p.out + r.all)
r = sock("-u", "-b", "4446", "127.0.0.1", "5555", input=b"kept out\n")
ok(r.returncode == 3 and "refused, port unreachable" in r.err, "-f: another one is refused", r.all)
p.end()

# --- a stranger's bytes on a terminal ---
if shutil.which("script"):
    with tempfile.NamedTemporaryFile() as log:
        t = subprocess.Popen(["script", "-qfc", "stty -opost; exec %s -us -v 7778" % SOCK, log.name],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = b""
        while b"waiting on" not in text:
            text += t.stdout.read1(1000)
        s.sendto(b"\x1b[2Jboo\n", ("127.0.0.1", 7778))
        while b"boo" not in text:
            text += t.stdout.read1(1000)
        ok(b"^[[2Jboo" in text and b"\x1b[2J" not in text, "no escape sequence reaches a terminal", text)
        t.stdin.write(b"\x03")
        t.stdin.flush()
        t.wait(timeout=sockbed.DEADLINE)
else:
    skip("no escape sequence reaches a terminal", "no script")
done()
