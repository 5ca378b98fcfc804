# SPDX-License-Identifier: BSD-2-Clause
"""The rows about how it reads, and what it tells."""
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import termios
import time

import sockbed
from sockbed import SOCK, Live, closed, discard, echo, sock
from tap import ok, skip
from walkbed import free_port, row, server
from walk_traffic import ask


def await_line(f, text):
    for line in f:
        if text in line:
            return
    raise AssertionError("it ended without a line about " + text)


@row("receive-timeout")
def check_receive_timeout():
    start = time.monotonic()
    p = server("-u", "-x", "300")
    status, took = p.end(None), time.monotonic() - start
    ok(status == 1 and 0.29 < took < 5 and "read error: Resource temporarily unavailable" in p.err,
       "--receive-timeout: a read that waited so long ends it", (status, took, p.err))
    p = server("-u", "-i", "-x", "300")
    start = time.monotonic()
    for n in range(4):
        ask("127.0.0.1", p.port, b"x" * (n + 1)).close()
        p.await_text("received %d byte" % (n + 1))
        select.select([], [], [], 0.1)
    ok(p.end(None) == 1 and time.monotonic() - start > 0.55, "... counted from the last one", p.err)


@row("send-timeout")
def check_send_timeout():
    # Whoever waits for a neighbour's address keeps the send buffer full.
    took = {}
    for args in (("-y", "200"), ("-y", "900")):
        start = time.monotonic()
        r = sock("-u", "-i", "-n20", "-w1000", "-S1", "--errors", "socket", *args, "--wait", "0", "192.0.2.77", 9)
        took[args] = time.monotonic() - start, r.returncode, "Resource temporarily unavailable" in r.err
    a, b = took.values()
    ok(a[1:] == b[1:] == (3, True) and 0.19 < a[0] < b[0] and 0.85 < b[0] < 2.9,
       "--send-timeout: a write that waited so long fails", took)


@row("sigio")
def check_sigio():
    p = server("-u", "-I")
    flags = {}
    for fd in os.listdir("/proc/%d/fd" % p.p.pid):
        if os.readlink("/proc/%d/fd/%s" % (p.p.pid, fd)).startswith("socket:"):
            flags[fd] = int(re.search(r"flags:\s+(\d+)", open("/proc/%d/fdinfo/%s" % (p.p.pid, fd)).read())[1], 8)
    ok(any(f & 0o20000 for f in flags.values()), "--sigio: O_ASYNC is set, as the kernel has it", flags)
    for n in range(3):
        ask("127.0.0.1", p.port, b"number %d\n" % n).close()
        ok(p.await_text("number %d" % n) and p.err.count("SIGIO") >= n + 1, "... and read when the signal says so", p.err)
    ok(p.end() == 0, "... and it does not end the program")
    p = server("-u", "-i", "-I")
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for n in range(200):
        s.sendto(b"xx" if n == 199 else b"x", ("127.0.0.1", p.port))
    ok(p.await_text("received 2 bytes") and p.end() == 0 and "received 200 datagrams" in p.err,
       "... nothing of a burst stays unread", p.err[-300:])


@row("peek")
def check_peek():
    if not shutil.which("strace"):
        skip("--peek: order of calls", "no strace")
        return
    port = free_port()
    with tempfile.NamedTemporaryFile("r") as log:
        p = subprocess.Popen(["strace", "-o", log.name, "-e", "trace=recvfrom,recvmsg,recvmmsg", SOCK, "-u", "-s",
                              "-i", "-v", "-Z", "127.0.0.1", str(port)], stderr=subprocess.PIPE,
                             env=sockbed.TRACED, text=True)
        await_line(p.stderr, "waiting on")
        ask("127.0.0.1", port, b"twelve bytes").close()
        lines = [p.stderr.readline(), p.stderr.readline()]
        os.kill(int(subprocess.run(["pgrep", "-P", str(p.pid)], capture_output=True, text=True).stdout), signal.SIGINT)
        p.communicate(timeout=sockbed.DEADLINE)
        calls = [c for c in open(log.name).read().splitlines() if "twelve" in c]
        ok(len(calls) == 2 and "MSG_PEEK" in calls[0] and "MSG_PEEK" not in calls[1],
           "--peek: looked at, then read", calls)
        ok(lines == ["received 12 bytes (MSG_PEEK)\n", "received 12 bytes\n"], "... and told", lines)
    ports = closed("127.0.0.1")
    r = sock("-u", "-i", "-n3", "-p", "20ms", "-Z", "127.0.0.1", ports)
    ok(r.returncode == 3 and re.search(r"3  refused", r.err), "... no error is lost by looking", r.err)


def local_modes(fd):
    return termios.tcgetattr(fd)[3] & (termios.ICANON | termios.ECHO)


@row("cbreak")
def check_cbreak():
    peer = discard("127.0.0.1")
    main, sub = pty.openpty()
    before = local_modes(sub)
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, None):
        p = subprocess.Popen([SOCK, "-u", "-v", "-C", "--wait", "0", "127.0.0.1", str(peer.port)], stdin=sub,
                             stderr=subprocess.PIPE, preexec_fn=os.setsid, text=True)
        await_line(p.stderr, "connected on")
        n = len(peer.got)
        os.write(main, b"k")
        fine = peer.await_count(n + 1) and peer.got[-1][0] == b"k" and local_modes(sub) == 0
        if sig is None:		# twice: the second one ends it at once
            p.send_signal(signal.SIGSTOP)
            p.send_signal(signal.SIGINT), p.send_signal(signal.SIGTERM), p.send_signal(signal.SIGCONT)
        else:
            p.send_signal(sig)
        p.communicate(timeout=sockbed.DEADLINE)
        ok(before and fine and local_modes(sub) == before,
           "--cbreak: one key is one datagram; the terminal is as before after %s" % (sig.name if sig else "two signals"),
           (peer.got, before, local_modes(sub)))
    p = subprocess.Popen([SOCK, "-u", "-v", "-C", "127.0.0.1", str(peer.port)], stdin=sub, stderr=subprocess.PIPE,
                         preexec_fn=os.setsid, text=True)
    await_line(p.stderr, "connected on")
    n = len(peer.got)
    os.write(main, b"k")
    peer.await_count(n + 1)
    p.send_signal(signal.SIGTSTP)
    os.waitpid(p.pid, os.WUNTRACED)
    stopped = local_modes(sub)
    p.send_signal(signal.SIGCONT)
    n = len(peer.got)
    os.write(main, b"m\n")
    peer.await_count(n + 1)
    ok(stopped == before and local_modes(sub) == 0, "... while it is stopped it is too", (stopped, local_modes(sub)))
    p.kill()
    p.wait()
    os.close(main), os.close(sub)
    r = sock("-u", "-C", "127.0.0.1", 9)
    ok(r.returncode == 2 and "-C" in r.err, "... refused where there is no terminal", r.err)


@row("truncation")
def check_truncation():
    for word, told in (("reno", True), ("bsd", False)):
        p = server("-u", "-r", "4", "--truncation", word)
        ask("127.0.0.1", p.port, b"abcdefgh").close()
        p.await_text("abcd")
        status = p.end()
        ok(("truncated" in p.out) == ("truncated" in p.err) == told and (status == 3) == told and "abcde" not in p.out,
           "--truncation %s: cut and %s" % (word, "told" if told else "not told"), (status, p.out, p.err))
    peer = echo("127.0.0.1")
    r = sock("-u", "-i", "-n1", "-w100", "-r10", "--truncation", "bsd", "127.0.0.1", peer.port)
    ok(r.returncode == 0 and "truncated" not in r.all, "... nor in the summary of a client", r.all)


@row("verbose")
def check_verbose():
    peer = echo("127.0.0.1")
    quiet, loud = (sock("-u", "-i", "-n1", *args, "127.0.0.1", peer.port) for args in ((), ("-v",)))
    ok("wrote 1024 bytes\n" in loud.err and "connected on" in loud.err and "wrote" not in quiet.err,
       "--verbose: ends, and each write", loud.err)


@row("json")
def check_json():
    with tempfile.TemporaryDirectory() as d:
        r = sock("-u", "-i", "-n2", "--json=" + d + "/log", "127.0.0.1", closed("127.0.0.1"))
        lines = [json.loads(line) for line in open(d + "/log")]
        ok([x.get("fate") for x in lines] == ["refused", "refused", None] and lines[2]["sent"] == 2 and not r.out,
           "--json: records in a file", lines)


@row("no-colour")
def check_no_colour():
    found = []
    for args in ((), ("--no-colour",)):
        main, sub = pty.openpty()
        env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        p = subprocess.Popen([SOCK, "-u", "-i", "-n1", *args, "127.0.0.1", str(closed("127.0.0.1"))],
                             stdin=subprocess.DEVNULL, stderr=sub, env=env)
        os.close(sub)
        text = b""
        try:
            while chunk := os.read(main, 65536):
                text += chunk
        except OSError:
            pass
        p.wait()
        os.close(main)
        found.append(b"\033[3" in text)
    ok(found == [True, False], "--no-colour: no escape sequences on a terminal", found)
