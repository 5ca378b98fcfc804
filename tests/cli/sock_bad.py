#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bad input and bad descriptors, UDP and TCP alike: one line, the right status,
and nothing lost in silence."""
import os
import subprocess
import tempfile

import sockbed
from sockbed import DEADLINE, SOCK, discard, echo, sock
from tap import done, ok, skip
from walk_tcp import connect
from walkbed import server
from tcpbed import Peer as TcpPeer, echo as tcp_echo

sockbed.enter("link add v0 type veth peer name v1", "link set v0 up", "link set v1 up",
              "addr add 192.0.2.1/24 dev v0", "route add default via 192.0.2.254")


def shell(line, **names):
    line = line.format(SOCK=SOCK, **names)
    return subprocess.run(["sh", "-c", line], stdin=subprocess.PIPE, capture_output=True, text=True, timeout=DEADLINE)


def complaint(text):
    return [line for line in text.splitlines() if line.startswith("sock: ")]


# --- the wrong family, and flags that exclude each other ---
WRONG = [
    ("-4 ::1 9", "'::1'", "IPv4"), ("-6 127.0.0.1 9", "'127.0.0.1'", "IPv6"),
    ("-l 127.0.0.1.80 ::1 9", "'::1'", "IPv4"), ("-s -4 ::1 9", "'::1'", "IPv4"),
    ("-s -6 127.0.0.1 9", "'127.0.0.1'", "IPv6"), ("-4 -6 ::1 9", "-4 and -6", ""),
    ("-g 127.0.0.5 ::1 9", "-g", "RFC 5095"), ("-g ::1 127.0.0.1 9", "'-g ::1'", "RFC 5095"),
    ("-6 -G 127.0.0.5 ::1 9", "-G", "RFC 5095"), ("-s -g 127.0.0.5 9", "-g", "client"),
    ("-Y -g 127.0.0.5 127.0.0.1 9", "-Y", "source routes"), ("-2 127.0.0.1 9", "'-2'", "255.255.255.255"),
    ("-g 127.0.0.1 " * 10 + "127.0.0.1 9", "'-g 127.0.0.1'", "at most 9"),
    ("-b 7 -l 127.0.0.1.8 127.0.0.1 9", "-b and -l", ""), ("-s -b 9 9", "-b", "client"),
    ("--dev nosuch0 127.0.0.1 9", "'--dev nosuch0'", "interface"), ("-H 256 127.0.0.1 9", "'-H 256'", "0 to 255"),
    ("-x 0 127.0.0.1 9", "'-x 0'", "milliseconds"), ("-y 5x 127.0.0.1 9", "'-y 5x'", "not a time"),
    ("--pmtu never 127.0.0.1 9", "'--pmtu never'", "dont, want, do"), ("-i -C 127.0.0.1 9", "-C", "typed"),
    ("-s", "port", ""), ("127.0.0.1", "'127.0.0.1'", "port"),
]
UDP_ONLY = [
    ("-s -4 -j ff02::5 9", "'-j ff02::5'", "IPv4"), ("-s -j 127.0.0.1 9", "'-j 127.0.0.1'", "224.0.0.0"),
    ("-s -j 224.0.0.5%nosuch0 9", "'-j 224.0.0.5%nosuch0'", "interface"),
    ("-s -j 224.0.0.5@::1 9", "'-j 224.0.0.5@::1'", "family"), ("-j 224.0.0.5 127.0.0.1 9", "-j", "server"),
    ("-t 256 224.0.0.5 9", "'-t 256'", "0 to 255"), ("--truncation posix ::1 9", "'--truncation posix'", "reno or bsd"),
    ("-h 127.0.0.1 9", "-h", "TCP"), ("-L 3 127.0.0.1 9", "-L", "TCP"), ("-N 127.0.0.1 9", "-N", "TCP"),
    ("-D 127.0.0.1 9", "-D", "TCP"),
]
TCP_ONLY = [
    ("-s -j 224.0.0.5 9", "-j", "-u"), ("-t 3 127.0.0.1 9", "-t", "-u"), ("--no-checksum ::1 9", "--no-checksum", "-u"),
    ("-s -f 127.0.0.1.5 9", "-f", "-u"), ("-w 0 -i 127.0.0.1 9", "-w", ""),
]
wrong = []
for rows, protos in ((WRONG, ("-u ", "")), (UDP_ONLY, ("-u ",)), (TCP_ONLY, ("",))):
    for args, quote, why in rows:
        for proto in protos:
            r = sock(*(proto + args).split())
            if r.returncode != 2 or r.out or r.err.count("\n") != 1 or not r.err.startswith("sock: ") \
                    or quote not in r.err or why not in r.err:
                wrong.append("%s%s: %s" % (proto, args, r.all))
ok(not wrong, "wrong families and flags that exclude each other: one line, status 2, UDP and TCP", "\n".join(wrong))

r = subprocess.run(["setpriv", "--inh-caps=-all", "--bounding-set=-net_raw", SOCK, "-u", "-g", "192.0.2.7", "192.0.2.9", "9"],
                   capture_output=True, text=True, stdin=subprocess.DEVNULL)
if "setpriv:" in r.stderr:
    skip("a source route without privilege", r.stderr.strip())
else:
    ok(r.returncode == 1 and "CAP_NET_RAW" in r.stderr and "ip route" in r.stderr,
       "a source route without privilege: why, and what to use instead", r.stderr)

# --- descriptors: closed, full, a reader that goes ---
for name, flag, port in (("UDP", "-u", echo("127.0.0.1").port), ("TCP", "", TcpPeer("127.0.0.1", tcp_echo).port)):
    at = {"flag": flag, "port": port}
    r = shell("{SOCK} {flag} 127.0.0.1 {port} <&-", **at)
    ok(r.returncode == 0 and not r.stderr, name + ": closed input is the end of input", r)
    r = shell("{SOCK} {flag} 127.0.0.1 {port} </", **at)
    ok(r.returncode == 1 and r.stderr.count("\n") == 1 and "Is a directory" in r.stderr, name + ": input that cannot be read", r)
    for where, why in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
        r = shell("echo hi | {SOCK} {flag} 127.0.0.1 {port} %s" % where, **at)
        ok(r.returncode == 1 and complaint(r.stderr) == ["sock: write error: " + why], name + ": standard output is " + why, r)
    r = shell("echo hi | {SOCK} {flag} -v 127.0.0.1 {port} 2>/dev/full", **at)
    ok(r.returncode == 1, name + ": standard error is full: status 1", r)
    r = shell("{SOCK} {flag} -i -n1 --json=/dev/full 127.0.0.1 {port}", **at)
    ok(r.returncode == 1 and "sock: write error: No space left on device" in r.stderr, name + ": JSON on a full disk", r)
    # two lines; the reader leaves after the first
    p = subprocess.Popen([SOCK] + ([flag] if flag else []) + ["127.0.0.1", str(port)], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.write(p.stdin.fileno(), b"one\n")
    first = os.read(p.stdout.fileno(), 99)
    p.stdout.close()
    os.write(p.stdin.fileno(), b"two\n")
    err = p.stderr.read().decode()
    p.stdin.close()
    ok(first == b"one\n" and p.wait(DEADLINE) == 1 and complaint(err) == ["sock: write error: Broken pipe"],
       name + ": a reader that goes away: told, status 1, no SIGPIPE", (p.returncode, err))

# Servers: what comes is not thrown away in silence, and no input is no end.
for name, flag in (("UDP", ["-u"]), ("TCP", [])):
    p = server(*flag, address="127.0.0.1")
    p.p.stdout.close()
    p.open.remove(p.p.stdout)
    c = connect(p.port) if not flag else None
    if c:
        c.sendall(b"lost?\n")
    else:
        sock("-u", "--wait", "0", "127.0.0.1", p.port, input=b"lost?\n")
    status = p.end(None)
    ok(status == 1 and complaint(p.err) == ["sock: write error: Broken pipe"], name + ": a server's reader goes away", (status, p.err))
    p = server(*flag, address="127.0.0.1")
    p.p.stdin.close()
    if flag:
        sock("-u", "--wait", "0", "127.0.0.1", p.port, input=b"still there\n")
        ok(p.await_text("still there"), name + ": a server whose input is closed goes on", p.err)
        p.end()
    else:
        c = connect(p.port)
        c.sendall(b"still there\n")
        c.close()
        ok(p.end(None) == 0 and "still there" in p.out, name + ": a server whose input is closed serves", p.err)

# --- a name of both families: UDP uses the first usable, as RFC 6724 wants ---
with tempfile.NamedTemporaryFile("w") as hosts:
    peer = discard("192.0.2.1")
    hosts.write("2001:db8::7 twice\n192.0.2.1 twice\n")
    hosts.flush()
    r = subprocess.run(["unshare", "-m", "sh", "-c", "mount --bind %s /etc/hosts && exec %s -u -i -n1 --wait 0 twice %d" %
                        (hosts.name, SOCK, peer.port)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if "mount" in r.stderr:
        skip("a name of both families", r.stderr)
    else:
        ok(r.returncode == 0 and peer.await_count(1), "a name of both families: the address with a route is used", r.stderr)
done()
