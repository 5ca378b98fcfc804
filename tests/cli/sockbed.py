# SPDX-License-Identifier: BSD-2-Clause
"""A network namespace of its own, peers in it, and sock as a process that is
waited for by what it prints, never by time."""
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ["SOCKEYE_SRC"], "tests"))
import tap  # noqa: E402

SOCK = os.path.join(os.environ["SOCKEYE_BUILD"], "prog/sock/sock")
DEADLINE = 20
# The leak checker cannot work beneath strace.
TRACED = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")


def enter(*setup):
    """Runs the calling script again in fresh user and network namespaces."""
    if os.environ.get("SOCKBED") != "in":
        if not shutil.which("ip"):
            tap.skip_all("no ip (package iproute2)")
        if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode:
            tap.skip_all("namespaces are not allowed here")
        os.environ["SOCKBED"] = "in"
        os.execvp("unshare", ["unshare", "-rn", sys.executable] + sys.argv)
    for line in ("link set lo up",) + setup:
        subprocess.run(["ip"] + line.split(), check=True)


class Peer(threading.Thread):
    """A UDP socket in a thread: answers with reply(data, sender), or not at all."""

    def __init__(self, address, port=0, reply=None):
        super().__init__(daemon=True)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((address, port))
        self.port = self.socket.getsockname()[1]
        self.reply, self.got, self.news = reply, [], threading.Condition()
        self.start()

    def run(self):
        while True:
            data, sender = self.socket.recvfrom(70000)
            with self.news:
                self.got.append((data, sender))
                self.news.notify_all()
            if self.reply:
                answer = self.reply(data)
                if answer is not None:
                    self.socket.sendto(answer, sender)

    def await_count(self, n):
        with self.news:
            return self.news.wait_for(lambda: len(self.got) >= n, DEADLINE)


def echo(address, port=0):
    return Peer(address, port, lambda data: data)


def discard(address, port=0):
    return Peer(address, port)


def closed(address):
    """A port that nobody has open."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.bind((address, 0))
        return s.getsockname()[1]


def queue(port):
    """The kernel's word on a receive queue: bytes in it, datagrams dropped."""
    for name in ("/proc/net/udp", "/proc/net/udp6"):
        for line in open(name).readlines()[1:]:
            f = line.split()
            if int(f[1].rpartition(":")[2], 16) == port:
                return int(f[4].partition(":")[2], 16), int(f[12])
    return None


def await_change(before, port):
    """Waits until the queue of a port is no longer what it was."""
    end = time.monotonic() + DEADLINE
    while queue(port) == before and time.monotonic() < end:
        select.select([], [], [], 0.001)
    return queue(port) != before


def sock(*args, input=b"", env=None, timeout=DEADLINE):
    """Runs to the end; text out and err."""
    r = subprocess.run([SOCK] + [str(a) for a in args], input=input, capture_output=True,
                       timeout=timeout, env=dict(os.environ, TZ="UTC", **(env or {})))
    r.out, r.err = r.stdout.decode("latin-1"), r.stderr.decode("latin-1")
    r.all = "status %d\n%s%s" % (r.returncode, r.out, r.err)
    return r


class Live:
    """A sock that goes on; its output is waited for."""

    def __init__(self, *args):
        self.p = subprocess.Popen([SOCK] + [str(a) for a in args], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env=dict(os.environ, TZ="UTC"))
        self.text = {self.p.stdout: "", self.p.stderr: ""}
        self.open = list(self.text)

    @property
    def out(self):
        return self.text[self.p.stdout]

    @property
    def err(self):
        return self.text[self.p.stderr]

    def read(self, left):
        for f in select.select(self.open, [], [], max(left, 0))[0]:
            data = os.read(f.fileno(), 65536)
            self.text[f] += data.decode("latin-1")
            if not data:
                self.open.remove(f)

    def await_text(self, pattern, timeout=DEADLINE):
        end = time.monotonic() + timeout
        while not re.search(pattern, self.out + self.err, re.M | re.S):
            if time.monotonic() > end or not self.open:
                return False
            self.read(end - time.monotonic())
        return True

    def type(self, data):
        self.p.stdin.write(data)
        self.p.stdin.flush()

    def end(self, sig=signal.SIGINT):
        """Ends it with a signal (None: it ends by itself). Returns its status."""
        if sig:
            self.p.send_signal(sig)
        end = time.monotonic() + DEADLINE
        while self.open and time.monotonic() < end:
            self.read(end - time.monotonic())
        if self.open:
            self.p.kill()
        return self.p.wait()
