#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sock: help, and what is said to wrong command lines."""
import shutil
import subprocess
import tempfile

import sockbed
from sockbed import SOCK, sock
from tap import done, ok, skip

sockbed.enter()

r = sock("--help")
lines = r.out.splitlines()
ok(r.returncode == 0 and not r.err and "usage: sock " in lines[0], "--help is on standard output", r.all)
ok(max(map(len, lines)) <= 80 and len(lines) <= 60, "--help is one screen of 80 columns",
   "%d lines, longest %d" % (len(lines), max(map(len, lines))))
full = sock("--help=all").out
ok(all("--" + line.split("\t")[1] in r.out and line.split("\t")[4] in full
       for line in sock("--options").out.splitlines() if line.split("\t")[3] != "later"),
   "--help has every name, --help=all every sentence", full)
ok("(1024), with -i" in sock("--help=count").out and sock("--help=-n").out == sock("--help=count").out
   and sock("--help=traffic").out.count("--") >= 5, "--help=OPTION, --help=GROUP")
ok("milliseconds" in r.out and "20ms" in r.out, "--help tells the units of time", r.out)
r = sock("--version")
ok(r.returncode == 0 and r.out.startswith("sock (sockeye) "), "--version", r.all)

# The flags of all generations of the historical program.
HISTORICAL = "2bcfghijklnopqrstuvwxyABCDEFGHIJKLNOPQRSTUVWXYZ"
rows = [line.split("\t") for line in sock("--options").out.splitlines()]
letters = "".join(row[0] for row in rows)
ok(len(HISTORICAL) == 47 and set(HISTORICAL) <= set(letters) and len(letters) == len(set(letters)),
   "the table has all 47 historical flags, each once", letters)
ok(all(row[1] for row in rows) and len({row[1] for row in rows}) == len(rows),
   "every row has a long name of its own")

# (arguments, what the one line must quote, what else it must say)
WRONG = [
    ("127.0.0.1", "'127.0.0.1'", "port"),
    ("127.0.0.1 9 127.0.0.1 10", "'127.0.0.1'", "one destination"),
    ("-s -f 127.0.0.1.5 9", "-f", "-u"),
    ("-o 127.0.0.1 9", "-o", "-u"),
    ("-B 127.0.0.1 9", "-B", "-u"),
    ("-i -w0 127.0.0.1 9", "-w 0", "-u"),
    ("-X 87 127.0.0.1 9", "'-X 87'", "88 to 32767"),
    ("-U 1 127.0.0.1 9", "-U", "-i"),
    ("--backlog-test 3 9", "'9'", "nothing"),
    ("-u -L 0 127.0.0.1 9", "-L", "TCP"),
    ("-u -N 127.0.0.1 9", "-N", "TCP"),
    ("-u -K 127.0.0.1 9", "-K", "TCP"),
    ("-F 127.0.0.1 9", "-F", "-s"),
    ("-u", "destination", "host port"),
    ("-u 127.0.0.1", "'127.0.0.1'", "port"),
    ("-u host.invalid 9", "'host.invalid'", "unknown host"),
    ("-u 127.0.0.1 no-such-service", "'no-such-service'", "service"),
    ("-u 127.0.0.1 0", "'0'", "1 to 65535"),
    ("-u 127.0.0.1 65536", "'65536'", "1 to 65535"),
    ("-u 127.0.0.1.65536", "'127.0.0.1.65536'", "1 to 65535"),
    ("-u [::1]:0x", "'[::1]:0x'", ""),
    ("-u -i -w 65508 127.0.0.1 9", "65508", "65507"),
    ("-u -i -w 65508 127.0.0.1 9", "65508", "IP header"),
    ("-u -i -w 65528 ::1 9", "65528", "65527"),
    ("-u -i -w 65508 ::1 9 127.0.0.1 9", "65508", "65507"),
    ("-u -s -f 127.0.0.1 5555", "'-f 127.0.0.1'", "port"),
    ("-u -f 127.0.0.1.5 127.0.0.1 9", "-f", "server"),
    ("-u -h 127.0.0.1 9", "-h", "TCP"),
    ("-u -D 127.0.0.1 9", "-D", "TCP"),
    ("-u -z 127.0.0.1 9", "'-z'", "--help"),
    ("--help=nothing", "'nothing'", "neither an option nor a group"),
    ("-u --frobnicate 127.0.0.1 9", "'--frobnicate'", "--help"),
    ("-u --s 127.0.0.1 9", "'--s'", "more than one"),
    ("-u -n", "'-n'", "missing"),
    ("-u -i -n0 127.0.0.1 9", "'-n 0'", "expected 1 to"),
    ("-u -i -nl 127.0.0.1 9", "'-n l'", "not a number"),
    ("-u -i -p 5x 127.0.0.1 9", "'-p 5x'", "not a time"),
    ("-u -r 0 127.0.0.1 9", "'-r 0'", "out of range"),
    ("-u -J 0 127.0.0.1 9", "'-J 0'", "1 to 255"),
    ("-u -J 256 127.0.0.1 9", "'-J 256'", "1 to 255"),
    ("-u -b 70000 127.0.0.1 9", "'-b 70000'", "1 to 65535"),
    ("-u -l 127.0.0.1 127.0.0.1 9", "'-l 127.0.0.1'", "port"),
    ("-u -l 127.0.0.1.5 ::1 9", "'::1'", "IPv4"),
    ("-u -4 ::1 9", "'::1'", "IPv4"),
    ("-u -6 127.0.0.1.9", "'127.0.0.1.9'", "IPv6"),
    ("-u -4 -6 127.0.0.1 9", "-4 and -6", ""),
    ("-u --errors=all 127.0.0.1 9", "'--errors=all'", "queue, icmpd, socket or none"),
    ("-u -s --errors icmpd --service echo 0", "--errors icmpd", "queue, socket or none"),
    ("-u --json 127.0.0.1 9", "standard output", "--json=FILE"),
    ("-u --json=1 127.0.0.1 9", "standard output", "--json=FILE"),
    ("-u -i --json=/no/such/folder/x 127.0.0.1 9", "/no/such/folder/x", "No such file"),
    ("-u -s", "port", ""),
    ("-u -s 127.0.0.1 9 10", "'10'", "[address] port"),
    ("-u -s 0", "'0'", "1 to 65535"),
    ("-u -s -b 9 9", "-b", "client"),
    ("-u -s -o 9", "-o", "client"),
    ("-u -s --expect-answer 9", "--expect-answer", "client"),
]
wrong = []
for args, quote, why in WRONG:
    r = sock(*args.split())
    if r.returncode != 2 or r.out or r.err.count("\n") != 1 or not r.err.startswith("sock: ") \
            or quote not in r.err or why not in r.err:
        wrong.append("%s: %s" % (args, r.all))
ok(not wrong, "%d wrong command lines: one line that quotes it, status 2" % len(WRONG), "\n".join(wrong))

# Nothing half done, by the kernel's own witness.
if shutil.which("strace"):
    with tempfile.NamedTemporaryFile() as log:
        probe = subprocess.run(["strace", "-o", log.name, "true"], capture_output=True)
        if probe.returncode:
            skip("a wrong second destination sends nothing to the first", "strace is not allowed here")
        else:
            subprocess.run(["strace", "-f", "-o", log.name, "-e", "trace=bind,sendto,sendmsg,sendmmsg",
                            SOCK, "-u", "-i", "127.0.0.1", "9", "127.0.0.1", "0"], capture_output=True,
                           env=sockbed.TRACED)
            trace = open(log.name).read()
            ok("sin_port" not in trace and "exited with 2" in trace,
               "a wrong second destination sends nothing to the first", trace)
else:
    skip("a wrong second destination sends nothing to the first", "no strace")
done()
