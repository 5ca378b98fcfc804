#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The programs of the literature, by link and by --as."""
import os
import re
import subprocess

import sockbed
from sockbed import DEADLINE, SOCK, Live, sock
from tap import done, ok

sockbed.enter("addr add 192.168.1.20/24 dev lo")
LINKS = os.path.join(os.environ["SOCKEYE_BUILD"], "prog/names")
SRC = os.environ["SOCKEYE_SRC"]
table = set(re.findall(r'\.name = "(\w+)"', open(SRC + "/prog/sock/book.c").read()))


def run(name, *args, text=b"", timeout=DEADLINE):
    r = subprocess.run([os.path.join(LINKS, name)] + list(args), input=text, capture_output=True, timeout=timeout)
    r.out, r.err = r.stdout.decode(), r.stderr.decode()
    r.all = "status %d\n%s%s" % (r.returncode, r.out, r.err)
    return r


def server(name, *args, ready="waiting on|Server running"):
    p = Live("--as", name, "-v", *args)
    ok(p.await_text(ready), name + " is ready", p.err)
    return p


ok(table == set(os.listdir(LINKS)), "a link for each row of the table", table ^ set(os.listdir(LINKS)))
for name in sorted(table):
    r = run(name, "one", "two", "three", "four")
    ok(r.returncode == 2 and "usage: " + name in r.err, "usage of " + name, r.all)
r = sock("--as", "nobody")
ok(r.returncode == 2 and "nobody" in r.err, "--as with another name", r.all)

p = server("udpserv01")
r = run("udpcli01", "127.0.0.1", text=b"hello, world\nsecond\n")
ok(r.out == "hello, world\nsecond\n" and r.returncode == 0, "udpcli01: each line is echoed", r.all)
r = run("udpcli01", "::1", text=b"no newline")
ok(r.out == "no newline", "over IPv6, and a last line without its newline", r.all)
p.end()
ok(p.err.count("received 13 bytes") == 1 and p.err.count("received 7 bytes") == 1, "one datagram for each line", p.err)
r = run("udpcli01", "127.0.0.1", text=b"hello, world\n")
ok(r.returncode == 3 and "refused, port unreachable" in r.err, "no server: told", r.all)
r = run("send_udp_recv_icmp", "localhost", "33434")
ok(r.returncode == 3 and "\nrecv error: Connection refused\n" in "\n" + r.err, "send_udp_recv_icmp: the error's line", r.all)

p = server("udpserv06")
r = run("dgcliloop1", "--wait=0", "-n", "20", "127.0.0.1")
p.end()
ok(p.out == "\nreceived 20 datagrams\n", "udpserv06 counts", p.out)
p = server("dgecholoop2")
ok("SO_RCVBUF = " in p.err, "dgecholoop2 asks for its buffer", p.err)
p.end()

r = run("daytimetcpcli", "127.0.0.1")
ok(r.returncode == 3 and "connect error: Connection refused\n" in r.err, "daytimetcpcli: connect error", r.all)
p = server("daytimetcpsrv1")
for a in ("127.0.0.1", "192.168.1.20"):
    r = run("daytimetcpcli", a)
    ok(re.fullmatch(r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\r\n", r.out) and r.returncode == 0,
       "daytimetcpcli prints the line, " + a, r.all)
    ok(p.await_text(r"(?m)^connection from %s, port \d+$" % re.escape(a)), "daytimetcpsrv1: where from", p.out)
r = run("daytimetcpsrv")
ok(r.returncode == 1 and "bind error: Address already in use" in r.err, "bind error", r.all)
p.end()

for name, child in (("echoServer", False), ("conEchoServer", True)):
    p = server(name)
    r = run("echoClient", "127.0.0.1", text=b"Hello CS23!\nAgain\n")
    ok(r.out == "String received from the server: Hello CS23!\nString received from the server: Again\n",
       name + " and echoClient", r.all)
    ok(p.await_text("String received from and resent to the client:Hello CS23!\n"), "its lines", p.out)
    ok(p.out.startswith("Server running...waiting for connections.\nReceived request...\n") and
       ("Child created" in p.out) == child, "and those before", p.out)
    p.end()
done()
