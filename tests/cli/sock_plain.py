#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sock --errors socket and none: what the sources' programs saw, and did not."""
import re
import socket

import sockbed
from sockbed import Live, closed, echo, sock
from tap import done, ok

sockbed.enter()


def hangs(p, condition):
    """True if p says no more once condition holds, and by the kernel's word sleeps."""
    if not p.await_text(condition) or p.await_text("refused|error|silent|answered  ", 0.3):
        return False
    stat = open("/proc/%d/stat" % p.p.pid).read().rpartition(")")[2].split()[0]
    return stat == "S" and p.p.poll() is None


for host in ("127.0.0.1", "::1"):
    dead, live = closed(host), echo(host)
    for mode, args in (("socket", ("-o",)), ("none", ()), ("none", ("-o",))):
        name = "%s: --errors %s %s" % (host, mode, " ".join(args))
        p = Live("-u", "-v", "--errors", mode, *args, host, dead)
        p.type(b"hello, world\n")
        ok(hangs(p, "connected on"), name + ": a refused client hangs", p.err)
        status = p.end()
        ok(status == 0 and "SO_ERROR = 0" in p.err, name + ": SO_ERROR stays empty", "%d %s" % (status, p.err))
    p = Live("-u", "-v", "--errors", "socket", host, dead)
    p.type(b"hello, world\n")
    status = p.end(None)
    ok(status == 3 and "read error: Connection refused\n" in p.err, host + ": a connected one ends: Connection refused",
       "%d %s" % (status, p.err))
    r = sock("-u", "-i", "-v", "-p", "20ms", "--errors", "socket", host, dead)
    ok(r.returncode == 3 and "write returned -1, expected 1024: Connection refused\n" in r.err
       and r.err.count("wrote 1024 bytes") == 1, host + ": a connected source ends at its second write", r.all)
    r = sock("-u", "-i", "-n3", "--wait", "0", "--errors", "socket", "-o", host, dead)
    ok(r.returncode == 0, host + ": an unconnected source just ends", r.all)
    p = Live("-u", "-i", "-v", "-n3", "--errors", "none", "--expect-answer", host, dead)
    ok(hangs(p, "(wrote.*){3}"), host + ": it waits for an answer for ever", p.err)
    ok(p.end() == 3 and "silent" in p.err, host + ": until Ctrl-C", p.err)
    r = sock("-u", "--errors", "socket", host, live.port, input=b"hi\n")
    ok(r.stdout == b"hi\n" and r.returncode == 0, host + ": answers come as ever", r.all)
    # the same command on the error queue, for contrast
    p = Live("-u", "-o", host, dead)
    p.type(b"hello, world\n")
    ok(p.await_text("refused, port unreachable, says " + re.escape(host)), host + ": the default tells it", p.err)
    p.end()

# The receiver's kernel tells the TTL; a router that acts on it is in the lab files.
IP_RECVTTL, IPV6_RECVHOPLIMIT = 12, 51
for host, level, option in (("127.0.0.1", socket.IPPROTO_IP, IP_RECVTTL),
                            ("::1", socket.IPPROTO_IPV6, IPV6_RECVHOPLIMIT)):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(level, option, 1)
        s.settimeout(sockbed.DEADLINE)
        s.bind((host, 0))
        for mode in ("queue", "none"):
            r = sock("-u", "-i", "-n1", "-J3", "-v", "--wait", "0", "--errors", mode, host, s.getsockname()[1])
            control = s.recvmsg(2000, 100)[1]
            ok(control and control[0][2][0] == 3 and "IP_TTL set to 3" in r.err,
               host + ": -J3 sends with a TTL of 3, --errors " + mode, "%s %s" % (control, r.all))
done()
