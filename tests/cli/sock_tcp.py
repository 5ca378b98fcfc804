#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sock over TCP: clients, servers, and how connections end."""
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile

import sockbed
import tcpbed
from sockbed import SOCK, Live, sock
from tap import done, ok, skip
from tcpbed import Peer, closed, echo, read_all

sockbed.enter()
PATTERN = bytes(range(0x20, 0x7f))

for host in ("127.0.0.1", "::1"):
    def end(port, host=host):
        return "[::1]:%d" % port if ":" in host else "127.0.0.1.%d" % port

    # --- a source ---
    peer = Peer(host, read_all)
    r = sock("-v", "-i", "-n4", host, peer.port)
    ok(r.returncode == 0 and not r.out and re.fullmatch(
        r"connected on (\S+) to %s\nTCP_MAXSEG = \d+\n(wrote 1024 bytes\n){4}" % re.escape(end(peer.port)),
        r.err), host + ": -v -i -n4", r.all)
    data, how = peer.result()
    ok(data == (PATTERN * 11)[:1024] * 4 and how == "fin", host + ": the pattern arrives, then a FIN", how)
    r = sock("-i", "-n2", "-w1", host, peer.port)
    ok(peer.result(1) == (b"  ", "fin") and r.all == "status 0\n", host + ": without -v not a word", r.all)

    # --- interactive ---
    e = Peer(host, echo)
    r = sock(host, e.port, input=b"hello\n")
    ok(r.out == "hello\n" and r.returncode == 0 and not r.err, host + ": a line goes and comes back", r.all)
    blob = os.urandom(3000000)
    r = sock("-h", host, e.port, input=blob)
    ok(r.stdout == blob and r.returncode == 0, host + ": 3 MB through an echo server, -h")

    def answer_late(conn):
        data = b""
        while True:
            more = conn.recv(65536)
            if not more:
                break
            data += more
        conn.sendall(b"%d" % len(data))
        conn.close()

    p = Peer(host, answer_late)
    r = sock("-h", "-v", host, p.port, input=b"x" * 5000)
    ok(r.out == "5000" and r.returncode == 0 and "half closed" in r.err
       and r.err.endswith("connection closed by peer\n"), host + ": -h hears what comes after the FIN", r.all)

    # --- a server takes one connection and ends with it ---
    port = closed(host)
    live = Live("-v", "-s", host, port)
    live.await_text("waiting on " + re.escape(end(port)))
    c = socket.create_connection((host, port), timeout=10)
    me = c.getsockname()[1]
    good = live.await_text("connection on %s from %s\n" % (re.escape(end(port)), re.escape(end(me))))
    ok(good, host + ": connection on A.p from B.q", live.err)
    c.sendall(b"one\ntwo\n")
    live.await_text("one\ntwo")
    live.type(b"three\n")
    ok(c.recv(100) == b"three\n", host + ": what is typed goes to the client")
    c.close()
    ok(live.end(None) == 0 and live.out == "one\ntwo\n" and "connection closed by peer\n" in live.err,
       host + ": the server ends with its connection", live.err)

# --- a sink ---
port = closed("127.0.0.1")
live = Live("-v", "-i", "-s", port)
live.await_text("waiting on")
c = socket.create_connection(("127.0.0.1", port), timeout=10)
c.sendall(b"x" * 3000)
c.shutdown(socket.SHUT_WR)
ok(c.recv(1) == b"" and live.end(None) == 0 and not live.out and
   sum(map(int, re.findall(r"received (\d+) bytes", live.err))) == 3000, "a sink counts and ends", live.err)

# --- other programs ---
if shutil.which("socat"):
    live = Live("-s", port)
    tcpbed.until(lambda: tcpbed.listener_queue(port))
    r = subprocess.run(["socat", "-u", "-", "TCP:127.0.0.1:%d" % port], input=b"from socat\n", timeout=20)
    ok(live.end(None) == 0 and live.out == "from socat\n", "socat talks to a server", live.out + live.err)
    port2 = closed("127.0.0.1")
    p = subprocess.Popen(["socat", "TCP-LISTEN:%d,bind=127.0.0.1" % port2, "EXEC:tr a-z A-Z"])
    tcpbed.until(lambda: tcpbed.listener_queue(port2))
    r = sock("-h", "127.0.0.1", port2, input=b"shout\n")
    p.wait(20)
    ok(r.out == "SHOUT\n" and r.returncode == 0, "a client of socat", r.all)
else:
    skip("socat talks to a server", "no socat")
    skip("a client of socat", "no socat")
if shutil.which("nc"):
    port2 = closed("127.0.0.1")
    p = subprocess.Popen(["nc", "-l", "127.0.0.1", str(port2)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    tcpbed.until(lambda: tcpbed.listener_queue(port2))
    r = sock("-c", "127.0.0.1", port2, input=b"a\nb\n")
    ok(p.communicate(timeout=20)[0] == b"a\r\nb\r\n", "nc hears CR LF with -c", r.all)
else:
    skip("nc hears CR LF with -c", "no nc")

# --- --all: any number, typed lines go to the latest ---
live = Live("-v", "-s", "--all", port)
live.await_text("waiting on")
a = socket.create_connection(("127.0.0.1", port), timeout=10)
live.await_text("connection on")
b = socket.create_connection(("127.0.0.1", port), timeout=10)
live.await_text("(connection on.*){2}")
live.type(b"to b\n")
ok(b.recv(100) == b"to b\n", "--all: what is typed goes to the latest client")
a.sendall(b"a speaks\n")
ok(live.await_text("a speaks"), "--all: the others are heard")
b.close()
live.await_text("closed by peer")
live.type(b"to a\n")
ok(a.recv(100) == b"to a\n", "--all: then to the one before")
a.close()
live.await_text("(closed by peer.*){2}")
c = socket.create_connection(("127.0.0.1", port), timeout=10)
ok(live.await_text("(connection on.*){3}"), "--all: it goes on serving")
ok(live.end() == 0 and c.recv(1) == b"", "--all: Ctrl-C ends it, status 0", live.err)

# --- input that holds nothing does not end a server ---
port = closed("127.0.0.1")
p = subprocess.Popen([SOCK, "-s", str(port)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
tcpbed.until(lambda: tcpbed.listener_queue(port))
c = socket.create_connection(("127.0.0.1", port), timeout=10)
c.sendall(b"still here\n")
c.close()
ok(p.communicate(timeout=20)[0] == b"still here\n" and p.returncode == 0, "a server whose input is /dev/null")

# --- ends that are not in order ---
def slam(conn):
    conn.recv(5)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


p = Peer("127.0.0.1", slam)
r = sock("127.0.0.1", p.port, input=b"hello\n")
ok(r.returncode == 3 and re.search(r"^127\.0\.0\.1\.%d: reset by peer \(RST\), after 6 bytes sent and 0 received$"
                                   % p.port, r.err, re.M), "a reset is told, status 3", r.all)
p = Peer("127.0.0.1", lambda conn: (conn.recv(100), conn.close()))
live = Live("127.0.0.1", p.port)
live.type(b"question\n")
ok(live.end(None) == 3 and "server terminated prematurely: it closed before it answered the last 9 bytes" in live.err,
   "a server that closes instead of answering", live.err)
p = Peer("127.0.0.1", lambda conn: (conn.sendall(b"12:00\r\n"), conn.close()))
live = Live("127.0.0.1", p.port)
ok(live.end(None) == 0 and live.out == "12:00\r\n" and not live.err, "a server that only tells is no fault", live.err)
p = Peer("127.0.0.1", slam)
r = sock("-i", "-n", "100000", "127.0.0.1", p.port)
ok(r.returncode == 3 and re.search(r"write returned -1, expected 1024: (Connection reset|Broken pipe)", r.err) and
   "reset by peer" in r.err, "a source whose peer resets", r.all)
if shutil.which("nft"):
    gone = Peer("127.0.0.1", lambda conn: conn.recv(100) and conn.recv(100))
    live = Live("-v", "127.0.0.1", gone.port)
    live.await_text("connected on")
    s = tcpbed.steal(live.p.pid, gone.port)
    if s:
        s.setsockopt(socket.IPPROTO_TCP, 18, 300)       # TCP_USER_TIMEOUT, ms
        subprocess.run(["nft", "-f", "-"], text=True, check=True, input="""
            table inet cut { chain i { type filter hook input priority 0; tcp dport %d drop
            }
            }""" % gone.port)
        s.close()
        live.type(b"into the void\n")
        ok(live.end(None) == 3 and re.search(r"timed out, no answer to \d+ retransmission", live.err),
           "a time-out is told, status 3", live.err)
        subprocess.run(["nft", "delete", "table", "inet", "cut"])
    else:
        skip("a time-out is told, status 3", "no pidfd_getfd")
else:
    skip("a time-out is told, status 3", "no nft")


# --- over UDP: what -c, -Q and --stop-on-error do there ---
u = sockbed.Peer("127.0.0.1", 0, lambda data: b"x\r\ny\r\n")
r = sock("-u", "-c", "127.0.0.1", u.port, input=b"a\nb\n")
ok(u.got[0][0] == b"a\r\nb\r\n" and r.out == "x\ny\n", "-u -c: CR LF in datagrams, both ways", r.all)
r = sock("-u", "-i", "-n1", "-v", "-Q", "10ms", "127.0.0.1", u.port)
ok("pausing before close" in r.err and r.returncode == 0, "-u -Q: the pause before the close", r.all)
dead = sockbed.closed("127.0.0.1")
r = sock("-u", "-i", "-n50", "-p1ms", "--stop-on-error", "127.0.0.1", dead)
ok(r.returncode == 3 and "write returned -1, expected 1024: Connection refused\n" in r.err
   and not re.search(r" 50  ", r.err), "--stop-on-error: the first refusal ends a source", r.all)
r = sock("-u", "-i", "-n50", "-p1ms", "-W", "127.0.0.1", dead)
ok(r.returncode == 3 and re.search(r" 50 ", r.err) and "write returned" not in r.err, "-W: none ends it", r.all[-500:])

# --- JSON ---
with tempfile.TemporaryDirectory() as d:
    name = os.path.join(d, "j")
    e = Peer("127.0.0.1", echo)
    sock("--json=" + name, "127.0.0.1", e.port, input=b"hello\n")
    lines = [json.loads(x) for x in open(name)]
    ok([x["type"] for x in lines] == ["fate", "connection"] and lines[0]["fate"] == "answered"
       and lines[0]["proto"] == "tcp" and lines[0]["dport"] == e.port and lines[0]["rtt_ns"] > 0
       and lines[1]["bytes_in"] == 6 and lines[1]["bytes_out"] == 6 and lines[1]["ended"] == "closed",
       "JSON: the connect, and the connection", lines)
r = sock("-i", "--json", "127.0.0.1", closed("127.0.0.1"))
j = json.loads(r.out)
ok(r.returncode == 3 and not r.err and j["fate"] == "refused" and j["evidence"] == "reply"
   and j["by"] == "127.0.0.1" and j["errno"] == "ECONNREFUSED" and "icmp_type" not in j,
   "JSON: a refusal by RST has no ICMP", r.all)

# --- resources and the like ---
taken, tport = tcpbed.listening("127.0.0.1")
r = sock("-s", "127.0.0.1", tport)
ok(r.returncode == 1 and r.err.startswith("can't bind local address: Address already in use\n") and "-A" in r.err,
   "a port that is taken", r.all)
r = sock("-s", "192.0.2.1", 5555)
ok(r.returncode == 1 and "192.0.2.1 is not an address of this host" in r.err, "another host's address", r.all)
r = sock("127.0.0.1", Peer("127.0.0.1", echo).port, input=b"")
ok(r.returncode == 0 and not r.all.strip("status 0\n"), "no input at all", r.all)
with open("/dev/full", "w") as full:
    p = subprocess.run([SOCK, "127.0.0.1", str(Peer("127.0.0.1", echo).port)], input=b"x\n", stdout=full,
                       stderr=subprocess.PIPE, timeout=20)
ok(p.returncode == 1 and b"No space left" in p.stderr, "standard output is full: status 1", p.stderr)
p = Live("-v", "127.0.0.1", Peer("127.0.0.1", echo).port)
p.await_text("connected on")
ok(p.end() == 0, "Ctrl-C ends a client, status 0", p.err)
p = Live("-v", "127.0.0.1", Peer("127.0.0.1", echo).port)
p.await_text("connected on")
ok(p.end(signal.SIGTERM) == 143, "SIGTERM: 128 + 15", p.err)
done()
