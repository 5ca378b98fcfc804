# SPDX-License-Identifier: BSD-2-Clause
"""One run of one program in one network of bench/path.py, and what it cost as seen
from outside: a new network each time, so that every bucket of errors is full and no
cache knows anything."""
import ipaddress
import json
import os
import shlex
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ECHO = 7
IDLE = ("neighbour",)


class Failed(Exception):
    pass


class Run:
    """Read: what the program said. cost: seconds, trips, packets, bytes."""

    def __init__(self, lab, tool, got, ledger):
        self.got, self.ledger = got, ledger
        self.trip = got["trip"]
        self.seconds = (got["ended"] - got["began"]) / 1e9
        self.trips = self.seconds / self.trip
        self.sent = [r for r in ledger if self.counts(r)]
        self.packets = len(self.sent)
        self.killed = got.get("killed", False)
        self.first_ms = self.until_first()
        self.error = None
        try:
            self.read = tool.read(got)
        except (ValueError, KeyError, IndexError, TypeError) as e:
            self.read, self.error = {"hops": [], "mtu": None}, repr(e)
        self.lab = lab

    def counts(self, r):
        """The line's ledger has it as come from s, while the program ran. What the
        echo service is asked for is not part of it."""
        return self.ours(r) and r.get("dport") != ECHO

    def ours(self, r):
        return (r["router"] == "line" and r.get("in") == "s" and r["did"] not in IDLE
                and r.get("proto") != "icmp6" or self.echo6(r)) and \
            self.got["began"] <= self.at(r) <= self.got["ended"]

    def echoes(self):
        """What was sent to find the way back: whole packets, not their pieces."""
        return [r for r in self.ledger if self.ours(r) and not r.get("off")
                and (r.get("dport") == ECHO or r.get("proto") in ("icmp", "icmp6"))]

    @staticmethod
    def echo6(r):
        """ICMPv6 is counted but for what neighbours say to each other."""
        if r["router"] != "line" or r.get("in") != "s" or r.get("proto") != "icmp6":
            return False
        to = ipaddress.ip_address(r.get("dst", "::"))
        return r["did"] not in IDLE and not to.is_multicast and not to.is_link_local

    @staticmethod
    def at(r):
        return int(r["time"].replace(".", ""))

    def until_first(self):
        return (self.at(self.sent[0]) - self.got["began"]) / 1e6 if self.sent else None


class Place:
    """Where runs happen: a build and a directory for what they write."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.socknet = self.build + "/prog/socknet/socknet"
        os.environ["PATH"] = self.build + "/prog/socknet:" + os.environ["PATH"]

    def run(self, lab, tool, timeout=60, **job):
        with tempfile.TemporaryDirectory(prefix="bench-path-") as d:
            os.chmod(d, 0o777)
            return self.inside(d, lab, tool, dict(job, timeout=timeout))

    def inside(self, d, lab, tool, job):
        result, ledger = d + "/result", d + "/ledger"
        job.update(argv=tool.call(lab), poison=lab.truth.get("poison", False))
        words = ["python3", HERE + "/path_in.py", result, lab.dst, json.dumps(job)]
        step = "run s {}within {}s status 0 {}\n".format(
            "root " if tool.root else "", int(job["timeout"]) + 30,
            " ".join(shlex.quote(w) for w in words))
        with open(d + "/x.lab", "w", encoding="ascii") as f:
            f.write(lab.text + step)
        p = subprocess.run([self.socknet, "--ledger", ledger, "run", d + "/x.lab"],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=job["timeout"] + 60, check=False)
        if p.returncode or not os.path.exists(result):
            raise Failed((p.stderr or p.stdout).strip()[-300:])
        with open(result, encoding="utf-8") as f:
            got = json.load(f)
        with open(ledger, encoding="utf-8") as f:
            return Run(lab, tool, got, [json.loads(line) for line in f])
