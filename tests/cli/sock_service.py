#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The small services over UDP and TCP, five ways to serve, odd clients."""
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

import sockbed
from sockbed import DEADLINE, SOCK, Live, sock
from tap import done, ok, skip

sockbed.enter("addr add 10.9.0.1/24 dev lo", "addr add 10.9.0.2/24 dev lo")
WAYS = ([], ["--iterative"], ["-F"], ["--threads"])
BOTH = ("127.0.0.1", "::1")


def serve(*args):
    p = Live("-s", "-v", *args)
    p.ready = p.await_text("waiting on")
    ok(p.ready, "ready: sock -s %s" % " ".join(map(str, args)), p.err) if not p.ready else None
    return p


def tcp(address, port):
    s = socket.create_connection((address, port), timeout=DEADLINE)
    s.settimeout(DEADLINE)
    return s


def udp(address="127.0.0.1", port=0):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(DEADLINE)
    if port:
        s.bind((address, port))
    return s


def rest(s):
    data = b""
    while True:
        try:
            more = s.recv(1 << 16)
        except ConnectionResetError:
            return data + b"(reset)"
        if not more:
            return data
        data += more


def text(length, at=0):
    """RFC 864, by its own words: 72 of the ring of 95, each line one further."""
    ring = bytes(range(32, 127))
    lines, n = b"", at // 74
    while len(lines) < at % 74 + length:
        lines += (ring * 2)[n % 95:n % 95 + 72] + b"\r\n"
        n += 1
    return lines[at % 74:at % 74 + length]


def daytime(data):
    return re.fullmatch(rb"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\r\n", data)


def since_1900(data):
    return len(data) == 4 and abs(struct.unpack("!I", data)[0] - (time.time() + 2208988800)) < 30


# --- UDP ---
p = serve("-u", "--service", "echo")
for address in BOTH + ("10.9.0.2",):
    c = udp(address)
    answers = []
    for data in (b"hello", b"", os.urandom(1400), os.urandom(65507)):
        c.sendto(data, (address, 7))
        got, peer = c.recvfrom(70000)
        answers.append(got == data and peer[:2] == (address, 7))
    ok(all(answers), "echo of 5, 0, 1400 and 65507 bytes, from the address asked: " + address, answers)
c = udp("127.0.0.1", 19)
c.sendto(b"loop", ("127.0.0.1", 7))
d = udp()
d.sendto(b"after", ("127.0.0.1", 7))
d.recv(10)
ok(not select.select([c], [], [], 0)[0], "a sender on the port of chargen is not answered")
c.close()
gone = udp()
gone.sendto(b"gone", ("127.0.0.1", 7))
gone.close()
d.sendto(b"still", ("127.0.0.1", 7))
ok(d.recv(10) == b"still", "a client that has gone does not end it")
status = p.end()
ok(re.search(r"^received 16 datagrams", p.err, re.M) and "not answered" in p.err and status in (0, 3),
   "the summary counts all", p.err)

for family, address in (("4", "127.0.0.1"), ("6", "::1")):
    servers = [serve("-" + family, "-u", "--service", n) for n in ("discard", "daytime", "time", "chargen")]
    c = udp(address)
    c.sendto(b"x", (address, 13))
    ok(daytime(c.recv(1000)), "UDP daytime, IPv" + family)
    c.sendto(b"", (address, 37))
    ok(since_1900(c.recv(1000)), "UDP time for an empty datagram, IPv" + family)
    sizes = set()
    right = True
    for i in range(60):
        c.sendto(b"?", (address, 19))
        data = c.recv(1000)
        sizes.add(len(data))
        right &= len(data) <= 512 and (not data or data in text(95 * 74 + 512))
    ok(right and len(sizes) > 10, "UDP chargen: 0 to 512 characters of the text, IPv" + family, sizes)
    c.sendto(b"swallowed", (address, 9))
    ok(servers[0].await_text("received 9 bytes"), "UDP discard reads, IPv" + family, servers[0].err)
    ok(not select.select([c], [], [], 0)[0], "and says nothing, IPv" + family)
    ok([s.end() for s in servers] == [0] * 4, "Ctrl-C ends them with status 0, IPv" + family)

p = serve("-u", "--service", "echo", "-R", "1")
p.p.send_signal(signal.SIGSTOP)
c = udp()
for i in range(20):
    c.sendto(b"z" * 200, ("127.0.0.1", 7))
p.p.send_signal(signal.SIGCONT)
ok(p.await_text(r"dropped at a full receive buffer, \d+ datagrams"), "what found no room is told", p.err)
ok(p.end() == 3, "and is a bad fate: status 3")

p = serve("-u", "--service", "echo", "--listen", "1007", "--listen", "10.9.0.1:1008", "10.9.0.2", "1009")
answers = []
c = udp()
for end in (("127.0.0.1", 1007), ("10.9.0.1", 1008), ("10.9.0.2", 1009)):
    c.sendto(b"at", end)
    answers.append(c.recvfrom(10))
ok([a[1] for a in answers] == [("127.0.0.1", 1007), ("10.9.0.1", 1008), ("10.9.0.2", 1009)],
   "one process, three UDP ends", answers)
ok(p.end(signal.SIGTERM) == 143 and "received 3 datagrams" in p.err, "SIGTERM: the summary, status 143", p.err)

# --- TCP, each way ---
for way in WAYS:
    name = way[0] if way else "events"
    p = serve("--service", "echo", *way)
    for address in BOTH:
        c = tcp(address, 7)
        big = os.urandom(300000)
        got = b""
        c.sendall(b"hello\n")
        first = c.recv(100)
        c.setblocking(False)
        sent = 0
        end = time.monotonic() + DEADLINE
        while len(got) < len(big) and time.monotonic() < end:
            r, w, _ = select.select([c], [c] if sent < len(big) else [], [], 1)
            if r:
                got += c.recv(1 << 16)
            if w:
                sent += c.send(big[sent:])
        c.setblocking(True)
        c.settimeout(DEADLINE)
        c.shutdown(socket.SHUT_WR)
        ok(first == b"hello\n" and got == big and rest(c) == b"",
           "%s: echo, then the end of both halves, %s" % (name, address), len(got))
    c = tcp("127.0.0.1", 7)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.sendall(b"x")
    c.recv(1)
    c.close()
    ok(p.await_text("reset, 1 bytes in"), name + ": a reset is told as such", p.err)
    c = tcp("::1", 7)
    c.sendall(b"alive")
    ok(c.recv(10) == b"alive", name + ": and does not end it")
    end = tcp("127.0.0.1", 7) if name != "--iterative" else c
    started = time.monotonic()
    ok(p.end() == 0 and "served " in p.err and time.monotonic() < started + DEADLINE / 2,
       name + ": Ctrl-C while clients are there ends every process of it", p.err)
    leftovers = subprocess.run(["ps", "--ppid", str(p.p.pid), "-o", "pid="], capture_output=True).stdout
    ok(rest(c) in (b"", b"(reset)") and not leftovers, name + ": and ends them too")

    servers = [serve("--service", n, *way) for n in ("discard", "daytime", "time", "chargen")]
    for address in BOTH:
        ok(daytime(rest(tcp(address, 13))), "%s: TCP daytime, %s" % (name, address))
        ok(since_1900(rest(tcp(address, 37))), "%s: TCP time, %s" % (name, address))
        c = tcp(address, 19)
        data = b""
        while len(data) < 200000:
            data += c.recv(1 << 16)
        ok(data == text(len(data)), "%s: TCP chargen, %s" % (name, address))
        c.close()
        c = tcp(address, 9)
        c.sendall(b"y" * 100000)
        c.shutdown(socket.SHUT_WR)
        ok(rest(c) == b"", "%s: TCP discard, %s" % (name, address))
    c = tcp("127.0.0.1", 13)
    c.sendall(b"unread" * 100)
    ok(daytime(rest(c).replace(b"(reset)", b"")), name + ": what a client sends does not cost it its answer")
    ok([s.end() for s in servers] == [0] * 4, name + ": Ctrl-C ends them with status 0")
    ok("100000 bytes in" in servers[0].err, name + ": bytes are counted", servers[0].err)

# --- TCP, what only some ways do ---
p = serve("--service", "echo", "--iterative")
a, b = tcp("127.0.0.1", 7), tcp("127.0.0.1", 7)
b.sendall(b"second")
a.sendall(b"first")
ok(a.recv(10) == b"first" and not select.select([b], [], [], 0)[0], "iterative: the second client waits")
a.close()
ok(b.recv(10) == b"second", "until the first has gone")
p.end()
for way in (["--threads"], ["-F"], []):
    p = serve("--service", "echo", "--max-clients", "2", *way)
    c = [tcp("127.0.0.1", 7) for i in range(4)]
    for s in c:
        s.sendall(b"me")
    heard = [s.recv(10) for s in c[:2]]
    ok(heard == [b"me"] * 2 and not select.select(c[2:], [], [], 0)[0],
       "two at once, %s: the others wait" % (way or "events"))
    for s in c[:2]:
        s.close()
    ok([s.recv(10) for s in c[2:]] == [b"me"] * 2, "and come in then")
    p.end()
    ok("served 4 connections, at most 2 at once" in p.err, "never more", p.err)

p = serve("--service", "echo", "-F")
for i in range(20):
    c = tcp("127.0.0.1", 7)
    port = c.getsockname()[1]
    c.close()
    p.await_text(r"connection from 127.0.0.1.%d closed" % port)
zombies = subprocess.run("ps -o stat= --ppid %d" % p.p.pid, shell=True, capture_output=True, text=True).stdout
ok("Z" not in zombies, "children are reaped", zombies)
p.end()

p = Live("-s", "-v", "--exec", 'echo "$PROTO $TCPREMOTEIP $TCPREMOTEPORT $TCPLOCALIP $TCPLOCALPORT"; cat', "7777")
p.await_text("waiting on")
for address in BOTH:
    c = tcp(address, 7777)
    c.sendall(b"into cat\n")
    c.shutdown(socket.SHUT_WR)
    want = "TCP %s %d %s 7777\ninto cat\n" % (address, c.getsockname()[1], address)
    got = rest(c)
    ok(got == want.encode(), "a command on 0-2 that knows both ends, " + address, got)
p.end()
p = Live("-s", "-v", "--exec", "read line <&{fd}; echo you said $line >&{fd}", "7777")
p.await_text("waiting on")
c = tcp("127.0.0.1", 7777)
c.sendall(b"this\n")
ok(rest(c) == b"you said this\n", "a command that gets the number of its descriptor")
p.end()

# Slow clients: what is not read is not held beyond one read's worth.
p = serve("--service", "echo")
slow = tcp("127.0.0.1", 7)
slow.setblocking(False)
stuck = False
while not stuck:            # until the server, too, has nowhere to put more
    try:
        slow.send(b"s" * 65536)
    except BlockingIOError:
        stuck = not select.select([], [slow], [], 0.5)[1]
quick = tcp("127.0.0.1", 7)
quick.sendall(b"quick")
ok(quick.recv(10) == b"quick", "a client that does not read holds up nobody")
slow.close()
ok(p.await_text(r"reset.*answers were lost"), "its end is told, and that answers were lost", p.err)
ok(p.end() == 3, "status 3")

# One wildcard server on several addresses, and one on each.
p = serve("--service", "daytime")
for address in ("127.0.0.1", "10.9.0.1", "10.9.0.2"):
    rest(tcp(address, 13))
    ok(p.await_text(r"^connection on %s\.13 from " % re.escape(address)), "it tells apart where it was reached: " + address, p.err)
p.end()
three = [serve("--service", "daytime", a, "13") for a in ("127.0.0.1", "10.9.0.1", "10.9.0.2")]
for s, address in zip(three, ("127.0.0.1", "10.9.0.1", "10.9.0.2")):
    rest(tcp(address, 13))
    ok(s.await_text("^connection on %s\\.13 " % re.escape(address)), "one of three servers: " + address, s.err)
    s.end()

# --- descriptors run out ---
limit = ["prlimit", "--nofile=24:24"] if shutil.which("prlimit") else None
for args, why in ((["--service", "echo"], "events"), (["--service", "echo", "-F", "--keep-connected"], "kept by the parent")):
    p = Live.__new__(Live)
    p.p = subprocess.Popen(limit + [SOCK, "-s"] + args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.text = {p.p.stdout: "", p.p.stderr: ""}
    p.open = list(p.text)
    clients, end = [], time.monotonic() + DEADLINE
    while "cannot accept" not in p.err and time.monotonic() < end and len(clients) < 60:
        try:
            clients.append(tcp("127.0.0.1", 7))
            clients[-1].sendall(b"e")
        except OSError:
            pass
        p.read(0.01)
    ok(p.await_text("cannot accept: Too many open files"), "out of descriptors, %s: told" % why, p.err)
    if why == "events":
        for c in clients[:-1]:
            c.close()
        ok(clients[-1].recv(1) == b"e", "and survived: who waited is served when others leave")
    else:
        clients[0].shutdown(socket.SHUT_WR)
        p.p.poll()
        ok(p.p.returncode is None, "and survived")
        ok(clients[0].recv(1) == b"e" and not select.select([clients[0]], [], [], 0.3)[0],
           "the child has ended, but its client sees no end")
    p.end()
    ok(p.err.count("cannot accept") == 1, "told once", p.err)

# --- records ---
with tempfile.NamedTemporaryFile("r") as f:
    p = Live("-s", "-v", "--service", "echo", "--json=" + f.name, "7")
    p.await_text("waiting on")
    c = tcp("::1", 7)
    port = c.getsockname()[1]
    c.sendall(b"12345")
    c.recv(10)
    c.close()
    p.await_text("closed, 5 bytes")
    p.end()
    records = [json.loads(line) for line in f]
r = [x for x in records if x["type"] == "connection"][0]
ok((r["src"], r["sport"], r["dst"], r["dport"], r["bytes_in"], r["bytes_out"], r["ended"]) ==
   ("::1", port, "::1", 7, 5, 5, "closed") and records[-1]["type"] == "summary", "a record for each client", records)

# --- a child that is killed ---
p = serve("--service", "echo", "-F", 7301)
c = tcp("127.0.0.1", 7301)
c.sendall(b"x")
c.recv(1)
child = open("/proc/%d/task/%d/children" % (p.p.pid, p.p.pid)).read().split()
os.kill(int(child[0]), signal.SIGKILL)
ok(rest(c) == b"" and p.await_text("the process that served 127.0.0.1.%d was killed: Killed"
                                   % c.getsockname()[1]), "a child that is killed is told", p.err)
ok(p.end(signal.SIGINT) == 3 and "1 did not get all of their answers" in p.err, "and counted", p.err)

# --- --fd ---
l = socket.create_server(("127.0.0.1", 0))
p = subprocess.Popen([SOCK, "-s", "--service", "echo", "--fd", str(l.fileno())], pass_fds=[l.fileno()],
                     stderr=subprocess.PIPE)
c = tcp(*l.getsockname())
c.sendall(b"listening")
ok(c.recv(20) == b"listening", "--fd: a listening socket")
p.send_signal(signal.SIGINT)
p.communicate(timeout=DEADLINE)
for way in ([], ["--threads"], ["-F"]):
    c = tcp(*l.getsockname())
    s, _ = l.accept()
    p = subprocess.Popen([SOCK, "-s", "--service", "echo", "--fd", str(s.fileno())] + way, pass_fds=[s.fileno()],
                         stderr=subprocess.PIPE)
    s.close()
    c.sendall(b"connected")
    got = c.recv(20)
    c.close()
    ok(got == b"connected" and p.wait(DEADLINE) == 0, "--fd: a connected one, served to its end %s" % way)
    p.communicate()
u = udp("127.0.0.1", 5555)
p = subprocess.Popen([SOCK, "-s", "--service", "echo", "--fd", str(u.fileno())], pass_fds=[u.fileno()],
                     stderr=subprocess.PIPE)
c = udp()
c.connect(("127.0.0.1", 5555))
c.send(b"bound")
ok(c.recv(20) == b"bound", "--fd: a UDP socket that is bound")
r = subprocess.run([SOCK, "--expect-answer", "--fd", str(c.fileno())], pass_fds=[c.fileno()], input=b"mine",
                   capture_output=True, timeout=DEADLINE)
ok(r.stdout == b"mine" and r.returncode == 0, "--fd: a connected UDP socket makes a client", r)
p.send_signal(signal.SIGINT)
p.communicate(timeout=DEADLINE)

# --- bad input ---
for args, words in (
        (["--service", "echo"], "say -s too"), (["-s", "--service", "eco"], "eco'"),
        (["-s", "-u", "--service", "echo", "-F"], "leave -u out"),
        (["-s", "--service", "echo", "-F", "--threads"], "only one of"),
        (["-s", "--service", "echo", "--exec", "cat"], "exclude"),
        (["-s", "--exec", "cat"], "no port"), (["-s", "-i", "--service", "echo"], "exclude"),
        (["-s", "--service", "echo", "--listen", "nowhere:1"], "nowhere:1'"),
        (["-s", "--service", "echo", "--fd", "0"], "'--fd=0'"), (["--fd", "77"], "'--fd=77'"),
        (["-s", "--service", "echo", "--keep-connected"], "-F"),
        (["-s", "--service", "echo", "--fd", str(u.fileno())], "'--fd")):
    r = sock(*args)
    ok(r.returncode == 2 and words in r.err and r.err.count("\n") == 1, "refused: " + " ".join(args), r.all)
taken = socket.create_server(("127.0.0.1", 4444))
r = sock("-s", "--service", "echo", "127.0.0.1", "4444")
ok(r.returncode == 1 and "127.0.0.1.4444" in r.err and "in use" in r.err, "a port that is taken", r.all)
done()
