# SPDX-License-Identifier: BSD-2-Clause
"""What the parts of bench/peers.py share: placement, processes, counters, ratios."""
import ctypes
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
FIFO_THEM, FIFO_ME = 10, 20
READY_S, END_S = 3.0, 5.0
ASK, ANSWER = 0, 1          # processors: who asks or sends, who answers or receives

libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """A run that gave no figure, and why."""


# --- where ---

def own_network():
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNET) != 0:
        if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
            sys.exit("bench/peers: no network namespace of its own: "
                     + os.strerror(ctypes.get_errno()))
        for name, text in (("uid_map", f"0 {uid} 1"), ("setgroups", "deny"),
                           ("gid_map", f"0 {gid} 1")):
            with open("/proc/self/" + name, "w") as f:
                f.write(text)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def cpus():
    return sorted(os.sched_getaffinity(0))


CPUS = cpus()


def can_fifo():
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(FIFO_ME))
        return True
    except OSError:
        return False


def machine(fifo):
    name = os.uname().machine
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    return (f"{name}, {len(CPUS)} processors, Linux {os.uname().release}, "
            f"load {os.getloadavg()[0]:.2f}; who sends or asks on processor {CPUS[0]}, "
            f"who receives or answers on {CPUS[-1]}, "
            + (f"SCHED_FIFO {FIFO_THEM}" if fifo else "ordinary scheduling (not allowed FIFO)"))


# --- processes ---

class Program:
    """One process on one side, ended for certain."""
    fifo = False

    def __init__(self, argv, side, stdin=subprocess.DEVNULL, fifo=True, quiet=False):
        def place():
            os.sched_setaffinity(0, {CPUS[0] if side == ASK else CPUS[-1]})
            if Program.fifo:
                policy = os.SCHED_FIFO if fifo else os.SCHED_OTHER
                os.sched_setscheduler(0, policy, os.sched_param(FIFO_THEM if fifo else 0))
        out = subprocess.DEVNULL if quiet else subprocess.PIPE
        self.p = subprocess.Popen(argv, stdin=stdin, stdout=out, stderr=subprocess.STDOUT
                                  if not quiet else out, preexec_fn=place,
                                  start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end(signal.SIGKILL)

    def end(self, sig=signal.SIGINT):
        """Its whole session, so that children end too. Returns what it said."""
        if self.p.poll() is None:
            try:
                os.killpg(self.p.pid, sig)
            except ProcessLookupError:
                pass
        return self.said()

    def said(self, seconds=END_S):
        try:
            out, _ = self.p.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.p.pid, signal.SIGKILL)
            out, _ = self.p.communicate()
        except ValueError:      # was read before
            out = b""
        try:
            os.killpg(self.p.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        return (out or b"").decode(errors="replace")


def run(argv, side, seconds):
    with Program(argv, side) as p:
        out = p.said(seconds)
        if p.p.returncode not in (0, 3):
            raise Failed(f"{os.path.basename(argv[0])}: status {p.p.returncode}: "
                         + out.strip()[-120:])
        return out


def missing(program):
    return None if shutil.which(program) else f"no {program} here (tools/deps names its package)"


def bound(port, proto):
    """Somebody has this port."""
    for name in (proto, proto + "6"):
        with open("/proc/net/" + name) as f:
            for line in f.readlines()[1:]:
                at, state = line.split()[1], line.split()[3]
                if at.endswith(f":{port:04X}") and (proto == "udp" or state == "0A"):
                    return True
    return False


def until(what, condition, seconds=READY_S):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds:g} s")
        time.sleep(0.002)


# --- counters ---

def counters():
    """{"Udp:InDatagrams": n, ...} of this namespace."""
    out = {}
    for path in ("/proc/net/snmp", "/proc/net/netstat"):
        with open(path) as f:
            lines = f.read().split("\n")
        for names, values in zip(lines[0::2], lines[1::2]):
            kind, *names = names.split()
            for name, value in zip(names, values.split()[1:]):
                out[kind + name] = int(value)
    return out


class Flood:
    """What was counted in an interval inside a flood."""

    def __init__(self, key, start_at, seconds):
        first = counters()
        until("a flood", lambda: counters()[key] > first[key] + start_at)
        time.sleep(0.05)
        a, t0 = counters(), time.monotonic()
        time.sleep(seconds)
        b, t1 = counters(), time.monotonic()
        self.d = {k: b[k] - a.get(k, 0) for k in b}
        self.seconds = t1 - t0

    def rate(self, key):
        return self.d[key] / self.seconds


# --- what they show ---

def interval(values, level=0.95):
    """The narrowest interval of order statistics that covers at least level, or
    None where there are too few values for it."""
    v, n = sorted(values), len(values)
    for k in range(n // 2, 0, -1):
        outside = 2 * sum(math.comb(n, i) for i in range(k)) / 2 ** n
        if 1 - outside >= level:
            return v[k - 1], v[n - k]
    return None


class Ratio:
    def __init__(self, ours, theirs):
        r = [a / b for a, b in zip(ours, theirs) if a and b]
        self.n = len(r)
        self.median = statistics.median(r) if r else float("nan")
        self.range = interval(r)

    def __str__(self):
        text = f"{self.median:.3g}"
        if self.range:
            text += f" [{self.range[0]:.3g}, {self.range[1]:.3g}]"
        return text + ("" if self.range else f" ({self.n} rounds: no interval)")

    @property
    def low(self):
        return self.range[0] if self.range else self.median

    @property
    def high(self):
        return self.range[1] if self.range else self.median


class Judge:
    """Limits, met or not. A short run shows but does not judge."""

    def __init__(self, strict):
        self.strict, self.failed = strict, 0

    def say(self, text, met):
        word = "met" if met else "NOT MET"
        self.failed += not met
        print(f"    {text}: {word}", flush=True)

    def status(self):
        return 4 if self.failed and self.strict else 0


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else float("nan")


class Rounds:
    """Runs {name: function -> dict of figures} by turns; what failed is None."""

    def __init__(self, contestants, rounds):
        self.got = {name: [] for name in contestants}
        self.why = {}
        names = list(contestants)
        for r in range(rounds):
            for name in names if r % 2 == 0 else reversed(names):
                try:
                    self.got[name].append(contestants[name]())
                except Failed as e:
                    self.got[name].append({})
                    self.why[name] = str(e)

    def of(self, name, key="rate"):
        return [g.get(key) for g in self.got.get(name, [])]

    def median(self, name, key="rate"):
        return median(self.of(name, key))

    def ratio(self, ours, theirs, key="rate"):
        return Ratio(self.of(ours, key), self.of(theirs, key))

    def failures(self):
        for name, why in self.why.items():
            missed = sum(not g for g in self.got[name])
            print(f"    {name}: {missed} of {len(self.got[name])} rounds without a figure: {why}")
