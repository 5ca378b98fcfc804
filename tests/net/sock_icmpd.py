#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sock --errors icmpd: what both reporters tell is one fate, what the kernel keeps to
itself is told as well."""
import json
import os
import subprocess

from kit import icmpd, icmpdbed, tap
from kit.forger import ROUTER, V4, V6

SOCK = os.path.join(icmpd.BUILD, "prog/sock/sock")
# type, code, rest, word, told by the kernel too
KINDS = {
    V4: [(3, 3, bytes(4), "refused", True), (3, 4, b"\0\0\5\x14", "too-big", True),
         (11, 0, bytes(4), "hop-limit", True), (4, 0, bytes(4), "quenched", False),
         (11, 1, bytes(4), "reassembly-timeout", False)],
    V6: [(1, 4, bytes(4), "refused", True), (3, 0, bytes(4), "hop-limit", True)],
}
t = tap.Tap(60)
icmpdbed.begin()
bed = icmpdbed.Bed()


def start(*argv, path=None):
    with bed.lab.a:
        return subprocess.Popen([SOCK, "-u", "-i", "--errors", "icmpd", "--json=1", *argv],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=dict(os.environ, SOCKEYE_ICMPD=path or bed.d.path))


def records(p):
    out, err = p.communicate(timeout=20)
    return [json.loads(x) for x in out.splitlines()], err, p.returncode


def one(family, type_, code, rest, word, both, *args):
    """The summary sums to what was sent, whoever told it."""
    host, port = bed.lab.next(family)
    p = start("-n1", "-w8", "--wait", "5s", *args, host, str(port))
    bed.lab.forge(family, type_, code, port, rest)
    got, err, status = records(p)
    fates = [r for r in got if r["type"] == "fate"]
    name = "%s %d/%d%s" % ("IPv6" if family == V6 else "IPv4", type_, code,
                           ", not connected" if args else "")
    t.ok(len(fates) == 1 and fates[0]["fate"] == word and fates[0]["by"] == ROUTER[family] and
         fates[0]["trust"] == "matched", name + ": one record, " + word, got, err)
    t.ok(fates and fates[0]["evidence"] in (("queue", "icmpd") if both else ("icmpd",)),
         name + ": told by " + (fates[0]["evidence"] if fates else "nobody"))
    # a quench is a note about a datagram; the others are its end
    last = got[-1]["fates"] if got else {}
    t.ok(last.get(word) == 1 and status == 3 or word == "quenched", name + ": and in the summary",
         got, status)
    bed.lab.forget()


for fam, rows in KINDS.items():
    for row in rows:
        one(fam, *row)
    one(fam, *rows[0], "-o")

p = start("-n1", "127.0.0.1", "9", path="/nowhere/at/all")
got, err, status = records(p)
t.ok(status == 1 and not got and err.count("\n") == 1 and "'/nowhere/at/all'" in err and
     "icmpd(8)" in err, "no daemon there: one line, and nothing is sent", got, err, status)
t.ok(bed.stop() == 0, "icmpd ends with status 0")
t.done()
