#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whatever ends a lab, nothing of it is left: no process, no namespace, no file."""
import os
import select
import signal
import subprocess
import sys
import tempfile
import time

SRC, BUILD = os.environ["SOCKEYE_SRC"], os.environ["SOCKEYE_BUILD"]
sys.path.insert(0, SRC + "/tests")
from tap import done, ok, skip, skip_all  # noqa: E402

SOCKNET = BUILD + "/prog/socknet/socknet"
SPACES = ("net", "mnt", "pid", "user", "uts", "ipc")
LAB = """lab "runs until somebody ends it"
host client server
link client server 10.1.0.1/24 10.1.0.2/24
server server ready udp 7 socknet serve echo 7
start client sh -c "sleep 300 & sleep 300"
run client within 60s sh -c "echo running; sleep 300"
"""


def parent_of(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as f:
            return int(f.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def family(root):
    """A process and all that descend from it. Orphans stay inside: the first
    process of the box adopts them."""
    parents = {int(p): parent_of(int(p)) for p in os.listdir("/proc") if p.isdigit()}
    found, news = set(), {root}
    while news:
        found |= news
        news = {p for p, parent in parents.items() if parent in found} - found
    return sorted(found)


def spaces_of(pid):
    try:
        return {os.readlink("/proc/%d/ns/%s" % (pid, s)) for s in SPACES}
    except OSError:
        return set()


def pinned(pids, own):
    """Their namespaces, {name: descriptor}. While we hold one, its number is not given
    to another: whoever is found in it has been left there."""
    held = {}
    for path in ("/proc/%d/ns/%s" % (pid, s) for pid in pids for s in SPACES):
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        name = os.readlink("/proc/self/fd/%d" % fd)
        if name in own or name in held:
            os.close(fd)
        else:
            held[name] = fd
    return held


def used_spaces():
    return set().union(*(spaces_of(int(p)) for p in os.listdir("/proc") if p.isdigit()))


def children(pid):
    return [p for p in family(pid) if parent_of(p) == pid]


def all_end(pidfds, seconds):
    end = time.monotonic() + seconds
    while pidfds:
        ready, _, _ = select.select(pidfds, [], [], max(0, end - time.monotonic()))
        if not ready:
            return False
        pidfds = [p for p in pidfds if p not in ready]
    return True


def whole_family(pid, n):
    """All processes of a lab, the last of which may be about to begin."""
    end = time.monotonic() + 5
    pids = family(pid)
    while len(pids) < n and time.monotonic() < end:
        pids = family(pid)
    return pids


def outside():
    """What a careless lab would leave behind."""
    with open("/proc/self/mountinfo", encoding="ascii") as f:
        return f.read(), sorted(os.listdir("/run")), sorted(os.listdir("/sys/class/net"))


def trial(name, end_it, user, statuses):
    before = outside()
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        path = os.path.join(work, "x.lab")
        with open(path, "w", encoding="ascii") as f:
            f.write(LAB)
        os.chmod(path, 0o644)
        p = subprocess.Popen(user + [SOCKNET, "run", path], stdin=subprocess.DEVNULL, cwd=work,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             start_new_session=True)
        said = ""
        for line in p.stdout:
            said += line
            if line == "running\n":
                break
        else:
            return ok(False, name + ": the lab runs", said)
        pids = whole_family(p.pid, 6)
        fds = [os.pidfd_open(pid) for pid in pids]
        inner = pinned(pids, spaces_of(os.getpid()))
        end_it(p)
        gone = all_end(fds, 10)
        status = p.wait(10) if gone else p.kill()
        for fd in fds:
            os.close(fd)
        ok(gone and len(pids) >= 6, "%s: its %d processes end" % (name, len(pids)),
           "left of %s" % pids)
        ok(status in statuses, "%s: the status says so" % name, "status %s" % status)
        what = "%s: nobody is left in its namespaces" % name
        if inner:
            ok(not set(inner) & used_spaces(), what)
        else:
            skip(what, "this user may not look at them")
        for fd in inner.values():
            os.close(fd)
        ok(os.listdir(work) == ["x.lab"] and outside() == before,
           "%s: no file, mount or interface is left" % name)
    p.stdout.close()
    return None


def first(p):
    return children(p.pid)[0]


def kill_program(p):
    """The one in the foreground was started last."""
    os.kill(children(first(p))[-1], signal.SIGKILL)


WAYS = [
    ("Ctrl-C", lambda p: os.killpg(p.pid, signal.SIGINT), (4,)),
    ("SIGTERM", lambda p: p.send_signal(signal.SIGTERM), (143,)),
    ("kill -9 of socknet", lambda p: p.kill(), (-9,)),
    ("kill -9 of its first process", lambda p: os.kill(first(p), signal.SIGKILL), (1,)),
    ("kill -9 of a program", kill_program, (4,)),
    ("kill -9 while it is stopped",
     lambda p: (os.kill(first(p), signal.SIGSTOP), p.kill()), (-9,)),
]

probe = subprocess.run([SOCKNET, "run", "echo"], capture_output=True, text=True, check=False,
                       stdin=subprocess.DEVNULL)
if probe.returncode == 1:
    skip_all(probe.stderr.strip())
for name, way, statuses in WAYS:
    trial(name, way, [], statuses)
if os.geteuid() == 0:
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    if subprocess.run(nobody + ["test", "-x", SOCKNET], check=False).returncode:
        skip("as an ordinary user", "this tree is closed to others")
    elif subprocess.run(nobody + [SOCKNET, "run", "echo"], check=False,
                        capture_output=True).returncode == 1:
        skip("as an ordinary user", "user namespaces are refused to him")
    else:
        for name, way, statuses in WAYS:
            trial(name + ", as an ordinary user", way, nobody, statuses)
done()
