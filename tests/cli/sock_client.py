#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sock as client and source: lines, fates, summary, status, JSON."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

import sockbed
from sockbed import SOCK, Live, closed, discard, echo, sock
from tap import done, ok, skip

sockbed.enter("link add v0 type veth peer name v1", "addr add 10.9.0.1/24 dev v0",
              "link set v0 up", "link set v1 up", "route add prohibit 10.8.0.0/24")

PATTERN = bytes(range(0x20, 0x7f))
CLOCK = r"^\d\d:\d\d:\d\d\.\d{3} "
discard4, echo4 = discard("127.0.0.1", 9), echo("127.0.0.1", 7)
discard6, echo6 = discard("::1", 9), echo("::1", 7)

# --- the book's lines ---
r = sock("-v", "-u", "-i", "-n4", "127.0.0.1", "discard", "--wait", "0")
ok(re.match(r"connected on 127\.0\.0\.1\.\d+ to 127\.0\.0\.1\.9\n(wrote 1024 bytes\n){4}", r.err)
   and r.returncode == 0 and not r.out, "-v -u -i -n4 HOST discard", r.all)
discard4.await_count(4)
ok([d for d, _ in discard4.got] == [(PATTERN * 11)[:1024]] * 4, "four datagrams of the pattern arrive")
port = int(re.search(r"connected on [\d.]+\.(\d+) to", r.err).group(1))
ok({a[1] for _, a in discard4.got} == {port}, "they leave from the port that was told")
sock("-v", "-u", "-i", "-n4", "-w0", "127.0.0.1", "discard", "--wait", "0")
discard4.await_count(8)
ok([d for d, _ in discard4.got[4:]] == [b""] * 4, "-w0 sends four empty datagrams")
r = sock("-u", "-i", "-n1", "-w65507", "127.0.0.1.9", "--wait", "0")
discard4.await_count(9)
ok(len(discard4.got[8][0]) == 65507 and r.returncode == 0, "-w65507 over IPv4", r.all)
r = sock("-u", "-i", "-n1", "-w65527", "[::1]:9", "--wait", "0")
discard6.await_count(1)
ok(len(discard6.got[0][0]) == 65527 and r.returncode == 0, "-w65527 over IPv6", r.all)

# --- three servers, one dead (the old problem of one socket and many peers) ---
for host, other in (("127.0.0.1", echo4), ("::1", echo6)):
    dead, third = closed(host), echo(host)
    r = sock("-u", "-i", "-n1", host, 7, host, dead, host, third.port)
    end = "[::1]:%d" % dead if ":" in host else "%s.%d" % (host, dead)
    told = re.findall(CLOCK + r"to (\S+): refused, port unreachable, says (\S+)$", r.err, re.M)
    ok(r.returncode == 3 and told == [(end, host)], host + ": three servers, the dead one is named", r.all)
    rows = re.findall(r"^(\S+) +1 +(\d) ", r.err, re.M)
    ok([n for _, n in rows] == ["1", "0", "1"], host + ": the summary has each of the three", r.all)
r = sock("-u", "-i", "-n1", "127.0.0.1", 7, "::1", closed("::1"), "127.0.0.1", 9, "--wait", "50ms")
ok(r.returncode == 3 and r.err.count("refused, port") == 2 and "127.0.0.1.9 " in r.err,
   "IPv4 and IPv6 on one socket", r.all)
if shutil.which("strace") and not subprocess.run(["strace", "true"], capture_output=True).returncode:
    with tempfile.NamedTemporaryFile() as log:
        subprocess.run(["strace", "-o", log.name, "-e", "trace=socket,connect", SOCK, "-u", "-i", "-n2",
                        "127.0.0.1", "7", "127.0.0.2", "9", "127.0.0.3", "9"], capture_output=True,
                       env=sockbed.TRACED)
        trace = open(log.name).read()
    ok(len(re.findall("SOCK_DGRAM", trace)) - trace.count("NETLINK") == 1 and "connect(" not in trace,
       "several destinations are one socket, not connected", trace)
else:
    skip("several destinations are one socket, not connected", "no strace")

# --- fates of each kind, and the status ---
dead = closed("127.0.0.1")
r = sock("-u", "-i", "-n1000", "-w16", "127.0.0.1", dead)
ok(r.returncode == 3 and len(re.findall("refused, port", r.err)) == 1001
   and re.search(r" 1000  0? *refused|^ +1000  refused", r.err, re.M),
   "a thousand errors: each has its line, none ends it", r.all[-600:])
r = sock("-u", "-i", "-n3", "-p", "5ms", "127.0.0.1", dead)
ok(r.returncode == 3 and r.err.count("refused, port") == 4, "errors come in pauses", r.all)
r = sock("-u", "-i", "-n2", "-p1ms", "10.9.0.77", "9")
ok(r.returncode == 3 and len(re.findall(CLOCK + r"to 10\.9\.0\.77\.9: no neighbour", r.err, re.M)) == 2,
   "a neighbour that never answers is waited for beyond --wait", r.all)
r = sock("-u", "-i", "-n1", "--wait", "10ms", "--wait=0", "10.9.0.78", "9")
ok(r.returncode == 0 and "no news" in r.err, "--wait 0 waits for nobody", r.all)
r = sock("-u", "-i", "-n1", "192.0.2.1", "9")
ok(r.returncode == 3 and re.search(CLOCK + r"to 192\.0\.2\.1\.9: no route", r.err, re.M), "no route", r.all)
r = sock("-u", "-i", "-n1", "10.8.0.1", "9")
ok(r.returncode == 3 and "denied" in r.err and "SO_BROADCAST" not in r.err, "a prohibited route", r.all)
r = sock("-u", "-i", "-n1", "-o", "10.8.0.1", "9")
ok(r.returncode == 3 and "denied" in r.err and "SO_BROADCAST" not in r.err,
   "a prohibited route, not connected", r.all)
for extra in ([], ["-o"], ["-B"]):
    r = sock("-u", "-i", "-n1", "-v", "--wait", "0", *extra, "10.9.0.255", "9")
    ok(r.returncode == 0 and "SO_BROADCAST set" in r.err and "wrote 1024" in r.err,
       "a broadcast address turns SO_BROADCAST on and says so %s" % " ".join(extra), r.all)
r = sock("-u", "-i", "-n2", "--wait", "50ms", "127.0.0.1", "9")
ok(r.returncode == 0 and re.search(r"^ +2  sent", r.err, re.M), "no answer is sent, status 0", r.all)
r = sock("-u", "-i", "-n2", "--wait", "50ms", "--expect-answer", "127.0.0.1", "9")
ok(r.returncode == 3 and re.search(r"^ +2  silent", r.err, re.M), "with --expect-answer: silent, status 3", r.all)
r = sock("-u", "-i", "-n5", "--wait", "15", "127.0.0.1", "7", timeout=10)
ok(r.returncode == 0 and re.search(r"7 +5 +5  [\d.]+ \w+ / [\d.]+ \w+ / [\d.]+ \w+$", r.err, re.M),
   "it ends as soon as everything is answered; round trips are told", r.all)
r = sock("-u", "-i", "-n1", "-r100", "127.0.0.1", "7")
ok(r.returncode == 3 and "truncated, 100 of 1024" in r.err, "a reply longer than -r: its real length", r.all)

# --- interactive ---
r = sock("-u", "127.0.0.1", "7", input=b"hello\n")
ok(r.stdout == b"hello\n" and r.returncode == 0 and "answered" in r.err, "a line goes and comes back", r.all)
blob = bytes(range(256)) * 4
ok(sock("-u", "127.0.0.1", "7", input=blob).stdout == blob, "any bytes go and come back")
p = Live("-u", "-v", "127.0.0.1", dead)
p.await_text("connected on")
p.type(b"one\n")
first = p.await_text("(refused.*){1}")
p.type(b"two\n")
second = p.await_text("(refused.*){2}")
ok(first and second and p.p.poll() is None, "an ICMP error does not end a client", p.out + p.err)
status = p.end()
ok(status == 3 and re.search(r"^ +2  refused", p.err, re.M), "Ctrl-C: the summary, and the status so far",
   "%d %s" % (status, p.err))
p = Live("-u", "-i", "-v", "-n1000", "-p1", "127.0.0.1", "7")
p.await_text("received 1024 bytes")
ok(p.end() == 0 and re.search(r"127\.0\.0\.1\.7 +1 +1 ", p.err), "Ctrl-C in a pause: status 0", p.err)
p = Live("-u", "-i", "-v", "-n1000", "-p1", "127.0.0.1", "7")
p.await_text("wrote")
ok(p.end(signal.SIGTERM) == 128 + 15 and "destination" in p.err, "SIGTERM: 128 + 15, after the summary", p.err)
p = Live("-u", "-v", "-l", "127.0.0.1.4444", "127.0.0.1", "7")
ok(p.await_text(r"connected on 127\.0\.0\.1\.4444 to 127\.0\.0\.1\.7"), "-l", p.err)
p.end()
p = Live("-u", "-v", "-b", "4445", "-o", "127.0.0.1", "7", "127.0.0.1", "9")
ok(p.await_text(r"connected on 0\.0\.0\.0\.4445 to 127\.0\.0\.1\.7\nconnected on 0\.0\.0\.0\.4445 to 127\.0\.0\.1\.9"),
   "-b, and one line for each destination", p.err)
p.end()
early = discard("127.0.0.1")
p = Live("-u", "-v", "-P", "30", "127.0.0.1", early.port)
p.await_text("connected on")
p.type(b"x\n")
ok(p.end() == 0 and not early.got, "-P: nothing is read or sent before its time")

null = sockbed.Peer("127.0.0.1", 0, lambda data: b"")
p = Live("-u", "-v", "127.0.0.1", null.port)
p.await_text("connected on")
for n in (1, 2):
    p.type(b"x\n")
    ok(p.await_text("(received 0 bytes.*){%d}" % n), "an empty answer is no end of file: number %d" % n, p.err)
ok(p.end() == 0 and re.search(r" 2 +2  ", p.err), "empty answers are answers", p.err)

# --- JSON ---
r = sock("-u", "-i", "-n2", "--json", "127.0.0.1", "7", "127.0.0.1", dead, "::1", "7")
lines = [json.loads(line) for line in r.out.splitlines()]
fates = [x for x in lines if x["type"] == "fate"]
total = lines[-1]
ok(r.returncode == 3 and not r.err, "--json with -i is on standard output, alone", r.all)
ok(all(x["v"] == 1 and re.fullmatch(r"\d+\.\d{9}", x["time"]) for x in lines), "each line has v and time", r.out)
refused = [x for x in fates if x["fate"] == "refused"]
ok(len(refused) == 2 and all(x["dport"] == dead and x["by"] == "127.0.0.1" and x["icmp_type"] == 3
                             and x["icmp_code"] == 3 and x["trust"] == "matched" for x in refused),
   "a refusal: who, type, code, and a quote that matches", refused)
ok(total["type"] == "summary" and total["fates"] == {"answered": 4, "refused": 2} and total["sent"] == 6
   and total["answered"] == 4 and len(total["destinations"]) == 3
   and all(sum(d["fates"].values()) == d["sent"] for d in total["destinations"]),
   "the summary sums to what was sent", total)
ok("null" not in r.out, "nothing is null")
if shutil.which("jq"):
    j = subprocess.run(["jq", "-c", ".type"], input=r.stdout, capture_output=True)
    ok(j.returncode == 0 and len(j.stdout.splitlines()) == len(lines), "jq reads each line", j.stderr)
else:
    skip("jq reads each line", "no jq")
with tempfile.TemporaryDirectory() as d:
    name = os.path.join(d, "out")
    r = sock("-u", "--json=" + name, "127.0.0.1", "7", input=b"hi\n")
    text = open(name).read()
    ok(r.stdout == b"hi\n" and [json.loads(x)["type"] for x in text.splitlines()] == ["fate", "summary"],
       "--json=FILE beside data on standard output", r.all + text)
    r = subprocess.run("exec 7>%s; echo hi | %s -u --json=7 127.0.0.1 7" % (name, SOCK), shell=True,
                       capture_output=True)
    ok(r.stdout == b"hi\n" and '"answered"' in open(name).read(), "--json=FD", r.stderr)

# --- the own end, to search a capture with ---
r = sock("-u", "-i", "-n1", "-b", "4321", "--json", "127.0.0.1", closed("127.0.0.1"))
told = json.loads(r.out.splitlines()[0])
ok(told["fate"] == "refused" and told["src"] == "127.0.0.1" and told["sport"] == 4321,
   "an error on a connected socket tells its own end", told)

# --- standard descriptors that are closed, full or no file ---
def shell(command):
    r = subprocess.run(command.replace("SOCK", SOCK), shell=True, capture_output=True, timeout=20)
    r.out, r.err = r.stdout.decode(), r.stderr.decode()
    r.all = "status %d\n%s%s" % (r.returncode, r.out, r.err)
    return r


r = shell("SOCK -u 127.0.0.1 9 <&-")
ok(r.returncode == 0 and not r.err, "closed input is the end of input", r.all)
told = len(echo4.got)
r = shell("echo hi | SOCK -u --expect-answer 127.0.0.1 7 >&-")
ok(r.returncode == 1 and "Bad file descriptor" in r.err and len(echo4.got) == told + 1,
   "closed output is told, and no socket is in its place", r.all)
r = shell("SOCK -u 127.0.0.1 9 </")
ok(r.returncode == 1 and "standard input: Is a directory" in r.err, "input that cannot be read", r.all)
r = shell("echo hi | SOCK -u --expect-answer 127.0.0.1 7 >/dev/full")
ok(r.returncode == 1 and "write error: No space left" in r.err, "output on a full disk", r.all)
r = shell("SOCK --help >/dev/full")
ok(r.returncode == 1 and "No space left" in r.err, "--help on a full disk", r.all)

# --- this host, by the address of all zeros ---
for any_, here, end in (("0.0.0.0", "127.0.0.1", "127.0.0.1.%d"), ("::", "::1", "[::1]:%d")):
    dead = closed(here)
    r = sock("-u", "-i", "-n1", any_, dead)
    ok(r.returncode == 3 and re.search("^" + re.escape(end % dead) + " +1 +0 ", r.err, re.M)
       and "no news" not in r.err, any_ + " is this host, and its refusal is booked", r.all)

subprocess.run("ip addr del ::1/128 dev lo".split(), check=True)
r = sock("-u", "-i", "-n1", "::1", "9")
ok(r.returncode == 3 and re.search(CLOCK + r"to \[::1\]:9: no route", r.err, re.M),
   "no address of that family here: no route", r.all)
r = sock("-u", "-i", "-n1", "-l", "192.0.2.7.5", "127.0.0.1", "9")
ok(r.returncode == 1 and "can't bind local address" in r.err and "192.0.2.7 is not an address" in r.err,
   "-l with another host's address", r.all)
done()
