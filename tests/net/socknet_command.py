#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A program of the caller's on a host of a lab: the examples of socknet(8) as they
stand there, what is passed through, and what is refused."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

SRC, BUILD = os.environ["SOCKEYE_SRC"], os.environ["SOCKEYE_BUILD"]
sys.path.insert(0, SRC + "/tests")
from tap import done, ok, skip, skip_all  # noqa: E402

SOCKNET = BUILD + "/prog/socknet/socknet"
ENV = dict(os.environ, PATH=os.path.dirname(SOCKNET) + ":" + os.environ["PATH"])


def run(*words, stdin=""):
    p = subprocess.run([SOCKNET, *words], input=stdin, capture_output=True, text=True,
                       timeout=60, check=False)
    return p.returncode, p.stdout, p.stderr


def manual(title):
    """The terminal of one example: [(command, what it printed)]."""
    with open(SRC + "/prog/socknet/socknet.8", encoding="ascii") as f:
        text = f.read().partition("\n.Ss " + title)[2]
    text = re.split(r"\n\.S[sh] ", text)[0].replace("\\e", "\\")
    shown = "".join(re.findall(r"\.Bd -literal.*?\n(.*?)\.Ed", text, re.S))
    parts = [p for p in re.split(r"^\$ ", shown, flags=re.M) if p]
    out = []
    for p in parts:
        lines = p.splitlines(keepends=True)
        n = 2 if lines[0].rstrip().endswith("|") else 1
        out.append(("".join(lines[:n]), "".join(lines[n:])))
    return out


def example(title, needs, work):
    missing = [n for n in needs if not shutil.which(n)]
    if missing:
        skip(title, "no " + missing[0])
        return
    last = 0
    for command, shown in manual(title):
        if command.startswith("cat "):
            with open(os.path.join(work, command.split()[1]), "w", encoding="ascii") as f:
                f.write(shown)
            continue
        if command.startswith("echo $?"):
            ok(str(last) == shown.strip(), title + ": its status", "status %d" % last)
            continue
        p = subprocess.run(["sh", "-c", command], cwd=work, env=ENV, capture_output=True,
                           text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
        last = p.returncode
        ok(p.stdout == shown, "%s: %s" % (title, command.split("\n")[0].strip()),
           p.stdout + p.stderr)


def passed_through():
    status, out, err = run("run", "pair", "--", "sh", "-c", "hostname; cat; echo no >&2; exit 7",
                           stdin="typed\n")
    ok((status, out, err) == (7, "client\ntyped\n", "no\n"),
       "input, output, error and status are the program's", "%d %r %r" % (status, out, err))
    ok(run("run", "pair", "--", "sh", "-c", "kill -9 $$")[0] == 137, "a signal's status too")
    ok(run("-H", "server", "run", "pair", "--", "hostname")[1] == "server\n", "--host says where")
    status, out, err = run("run", "pair", "--", "sh", "-c", "id -u; ip link set lo down; "
                           "echo $?", "x", "--host", "-t")
    ok(status == 0 and out == "1000\n2\n", "it has no privileges over the lab; its words are its own",
       out + err)


def signalled(number, status):
    p = subprocess.Popen([SOCKNET, "run", "pair", "--", "sh", "-c", "echo up; exec sleep 300"],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    p.stdout.readline()
    p.send_signal(number)
    ok(p.wait(20) == status, "signal %d reaches the program" % number, p.returncode)
    p.stdout.close()


BAD = [
    (("run", "pair", "--"), "nothing to run"),
    (("run", "pair", "--", "no-such-program"), "no program 'no-such-program'"),
    (("-H", "nobody", "run", "pair", "--", "true"), "'nobody': no such host"),
    (("-H", "client", "run", "pair"), "a host for no command"),
    (("run", "pair", "unp", "--", "true"), "behind one lab"),
    (("-t", "run", "pair", "--", "true"), "no expectations with a command"),
]

first = run("run", "pair", "--", "true")
if first[0] == 1:
    skip_all(first[2].strip())
passed_through()
for way in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
    signalled(*way)
for words, says in BAD:
    got, said, why = run(*words)
    ok(got == 2 and not said and says in why and why.count("\n") == 1, "one line says: " + says,
       "%d %s%s" % (got, said, why))
with tempfile.TemporaryDirectory() as d:
    os.chmod(d, 0o755)
    example("A DNS client behind a narrow link", ["dig"], d)
    example("A program that sends large datagrams", ["jq"], d)
done()
