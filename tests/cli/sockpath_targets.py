#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sockpath --targets: what a list may hold, what is refused and how, and files of
records that do not fit. Everything goes to loopback."""
import fcntl
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sockbed  # noqa: E402
from tap import done, ok  # noqa: E402

sockbed.enter()
SOCKPATH = os.environ["SOCKEYE_BUILD"] + "/prog/sockpath/sockpath"
DIR = tempfile.TemporaryDirectory()
LIST = DIR.name + "/list"


def run(*args, text="", stdin=None):
    """Records, standard error, status. text: the list."""
    with open(LIST, "w", encoding="latin-1") as f:
        f.write(text)
    argv = [SOCKPATH] + [str(a) for a in args]
    p = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=20, check=False)
    return [json.loads(x) for x in p.stdout.splitlines()], p.stderr.replace(DIR.name + "/", ""), p.returncode


def listed(text, *args):
    return run("--targets", LIST, *args, text=text)


def targets(records):
    return sorted(r["dst"] for r in records if r["type"] == "target")


def refused(name, text, want, *args):
    records, err, status = listed(text, *args)
    ok(status == 2 and not records and want in err and err.count("\n") == 1, name,
       "%d %r, wanted %r, %r" % (status, err, want, records))


def forms():
    text = ("# a comment\n\n127.0.0.9\r\n  127.0.0.16/30  # a prefix\n127.0.0.9\n127.0.0.17\n"
            "127.0.0.24/31\n::1\n")
    want = ["127.0.0.17", "127.0.0.18", "127.0.0.24", "127.0.0.25", "127.0.0.9", "::1"]
    records, err, status = listed(text)
    ok(status == 0 and targets(records) == want, "addresses, prefixes, comments, both families, "
       "duplicates once", err + repr(targets(records)))
    first, last = records[0], records[-1]
    ok(first["type"] == "run" and first["targets"] == 6 and first["named"] == 8 and
       last["type"] == "summary" and last["reached"] == 6 and last["done"] == 6,
       "the first record is the run's, the last the sums", repr((first, last)))
    ok(all(r["distance"] == 1 and not r["hops"] for r in records if r["type"] == "target"),
       "what is on this host has no routers before it", repr(records))
    again, err, status = run("--targets", "-", stdin="127.0.0.9\n::1\n")
    ok(status == 0 and targets(again) == ["127.0.0.9", "::1"], "- is standard input", err)
    some, err, status = run("--targets", "-", stdin="127.0.0.9")
    ok(status == 0 and targets(some) == ["127.0.0.9"], "a last line without an end", err)
    ok("1 of 1 targets: 1 reached" in err, "the sums for people are on standard error", err)


def lines():
    refused("a name", "127.0.0.1\nexample.com\n", "list, line 2: 'example.com': no target")
    refused("a prefix with bits of a host", "127.0.0.1/24\n", "line 1: '127.0.0.1/24'")
    refused("a prefix too long", "10.0.0.0/33\n", "line 1: '10.0.0.0/33'")
    refused("a multicast address", "\n\n224.0.0.1\n", "line 3: '224.0.0.1'")
    refused("a prefix with multicast in it", "128.0.0.0/1\n", "line 1: '128.0.0.0/1'")
    refused("the broadcast address", "255.255.255.255\n", "multicast or broadcast")
    refused("an IPv6 group", "ff02::1\n", "line 1: 'ff02::1'")
    refused("an address of an interface", "fe80::1%lo\n", "line 1: 'fe80::1%lo'")
    refused("a prefix too large", "2001:db8::/32\n", "2^40")
    refused("two on a line", "127.0.0.1 127.0.0.2\n", "'127.0.0.1 127.0.0.2'")
    refused("bytes that are no text", "127.0.0.1\n\xff\xfe\n", "line 2")
    refused("a byte 0", "127.0.0.1\n127.0.0.2\0\n", "line 2: a byte 0")
    refused("an empty list", "", "list: no targets")
    refused("a list of comments", "# 127.0.0.1\n\n", "list: no targets")
    refused("the other family", "127.0.0.1\n", "IPv4 addresses (expected none with -6)", "-6")
    refused("the other family", "::1\n", "IPv6 addresses (expected none with -4)", "-4")
    _, err, status = run("--targets", DIR.name + "/nothing")
    ok(status == 2 and "nothing': No such file" in err, "a list that is not there", err)
    _, err, status = run("--targets", DIR.name)
    ok(status == 1 and "cannot read" in err, "a list that is a directory", err)


def options():
    for args in (["-I"], ["-T"], ["--raw"], ["--paths"], ["--reverse"], ["--cycles", "2"],
                 ["--style", "book"], ["--json=document"], ["-m", "61"], ["-f", "2"], ["-q", "2"],
                 ["-N", "4"], ["-z", "1"], ["--packets", "5"]):
        _, err, status = listed("127.0.0.1\n", *args)
        ok(status == 2 and args[0].partition("=")[0] in err, "not with --targets: " + args[0], err)
    for args in (["--shard", "1/2"], ["--resume", "x"], ["--seed", "1"], ["--rate", "5"],
                 ["--hop-rate", "1"], ["--patience", "1"], ["--every-hop"], ["--progress", "1"]):
        _, err, status = run(*args, "127.0.0.1")
        ok(status == 2 and "only with --targets" in err, "only with --targets: " + args[0], err)
    for text in ("0/2", "3/2", "1", "1/", "a/b", "1/0"):
        _, err, status = listed("127.0.0.1\n", "--shard", text)
        ok(status == 2 and "'--shard %s'" % text in err, "not a shard: " + text, err)
    _, err, status = listed("127.0.0.1\n", "--targets", LIST, "127.0.0.2")
    ok(status == 2, "a host beside a list", err)
    records, err, status = listed("127.0.0.2\n192.0.2.1\n")
    end = {r["dst"]: r for r in records if r["type"] == "target"}
    ok(status == 3 and end["192.0.2.1"]["end"] == "not-sent" and
       end["192.0.2.1"]["errno"] == "ENETUNREACH" and end["192.0.2.1"]["sent"] == 0 and end["127.0.0.2"]["end"] == "reached",
       "no route is told of the target, and ends nothing else", err + repr(end))
    _, err, status = listed("127.0.0.1\n", "-s", "203.0.113.9")
    ok(status == 2 and "203.0.113.9" in err, "a source that is not ours", err)


def shards():
    text = "127.0.1.0/24\n"
    whole = targets(listed(text, "--seed", 5, "--rate", 100000)[0])
    ok(len(whole) == 254, "a /24 is 254 targets", str(len(whole)))
    for n in (2, 7, 300):
        parts = []
        for i in range(1, n + 1) if n < 300 else (1, 254, 255, 300):
            parts += targets(listed(text, "--seed", 5, "--rate", 100000, "--shard", "%d/%d" % (i, n))[0])
        ok(sorted(parts) == (whole if n < 300 else sorted(set(parts))),
           "%d shards: each target once" % n, str(len(parts)))


def files():
    out = DIR.name + "/out"
    text = "127.0.1.0/26\n"
    records, err, status = listed(text, "--seed", 9, "--resume", out)
    with open(out, encoding="ascii") as f:
        lines_ = f.read().splitlines()
    ok(status == 0 and not records and len(lines_) == 64, "--resume with a new file begins a run",
       err + str(len(lines_)))
    with open(out, "w", encoding="ascii") as f:
        f.write("\n".join(lines_[:20]) + "\n" + lines_[20][:37])
    _, err, status = listed(text, "--resume", out)
    with open(out, encoding="ascii") as f:
        got = [json.loads(x) for x in f.read().splitlines()]
    ok(status == 0 and targets(got) == targets(json.loads(x) for x in lines_) and
       "43 of 43 targets" in err, "it goes on behind the last whole line", err + str(len(got)))
    _, err, status = listed(text, "--resume", out)
    ok(status == 0 and "0 of 0 targets" in err, "and has nothing to do when all is done", err)
    for name, args, other in (
            ("another list", (), "127.0.2.0/26\n"), ("another seed", ("--seed", 8), text),
            ("another shard", ("--shard", "1/2"), text)):
        before = os.path.getsize(out)
        _, err, status = listed(other, "--resume", out, *args)
        ok(status == 2 and "--resume 'out'" in err and os.path.getsize(out) == before,
           name + " is refused, and the file is as it was", err)
    for name, content in (("a file of something else", "hello\n"),
                          ("records of something else", '{"v":1,"type":"fate","time":"1.0"}\n')):
        with open(out, "w", encoding="ascii") as f:
            f.write(content)
        _, err, status = listed(text, "--resume", out)
        with open(out, encoding="ascii") as f:
            same = f.read() == content
        ok(status == 2 and same and "does not begin with the record of a run" in err,
           name + " is refused, and not changed", err)
    with open(out, "r+", encoding="ascii") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        _, err, status = listed(text, "--resume", out)
    ok(status == 1 and "another run is writing" in err, "one run at a time writes to a file", err)
    _, err, status = listed(text, "--resume", "/dev/null")
    ok(status == 2 and "not a file" in err, "a device is no file of records", err)


forms()
lines()
options()
shards()
files()
done()
