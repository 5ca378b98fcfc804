# SPDX-License-Identifier: BSD-2-Clause
"""The programs that bench/path.py runs: how each is called, and what it says.

A reading is a dict: hops (an address, or None, for each TTL), mtu (None where it is
not offered), and for ours what else the judge asks for.
"""
import json
import re
import shutil


def words(pattern, text):
    return [m if isinstance(m, str) else m[0] for m in re.findall(pattern, text, re.M)]


def by_hop(lines):
    """The address of each hop from 1, None where nobody answered."""
    seen = {}
    for ttl, who in lines:
        seen[ttl] = seen.get(ttl) or who
    return [seen.get(i) for i in range(1, max(seen, default=0) + 1)]


def read_tracepath(got):
    lines = []
    for line in got["out"].splitlines():
        m = re.match(r" ?(\d+): +(\S+)", line)
        if m and "pmtu" not in line:
            lines.append((int(m[1]), None if m[2] == "no" else m[2]))
    mtu = words(r"pmtu (\d+)", got["out"])
    return {"hops": by_hop(lines), "mtu": int(mtu[-1]) if mtu else None,
            "reached": "reached" in got["out"]}


def read_traceroute(got):
    lines, mtu = [], None
    for line in got["out"].splitlines()[1:]:
        m = re.match(r" ?(\d+) +(.*)", line)
        if not m:
            continue
        who = re.search(r"(?:^|\s)([0-9a-f]+[.:][0-9a-f.:]+)", m[2])
        lines.append((int(m[1]), who[1] if who else None))
        mtu = int((words(r" F=(\d+)", m[2]) or [mtu or 0])[-1]) or mtu
    return {"hops": by_hop(lines), "mtu": mtu}


def read_mtr(got):
    hubs = json.loads(got["out"])["report"]["hubs"]
    hops = [None if h["host"] == "???" else h["host"] for h in hubs]
    return {"hops": hops, "mtu": None, "loss": [h["Loss%"] for h in hubs]}


def read_scamper(got):
    trace = got["out"].split("pmtud:")[0]
    hops = [(int(t), a) for t, a in re.findall(r"^hop +(\d+) +(\S+)", trace, re.M)]
    mtu = words(r"^pmtud:.* pmtu (\d+)", got["out"])
    return {"hops": by_hop(hops), "mtu": int(mtu[-1]) if mtu else None}


def read_ours(got):
    records = [json.loads(line) for line in got["out"].splitlines()]
    hops = [r for r in records if r["type"] == "hop"]
    end = next((r for r in records if r["type"] == "summary"), {})
    return {"records": records, "summary": end,
            "hops": by_hop((r["hop"], r.get("by")) for r in hops),
            "mtu": end.get("pmtu"), "reached": got["status"] == 0}


class Tool:
    """HOPS stands for the most hops that the case needs."""

    def __init__(self, name, argv, read, root=False, program=None):
        self.name, self.argv, self.read, self.root = name, argv, read, root
        self.program = program or argv[0]

    def missing(self):
        return None if shutil.which(self.program) else f"no {self.program} here"

    def call(self, lab):
        hops = str(max(30, lab.truth.get("n", 0) + 1))
        family = "-6" if ":" in lab.dst else "-4"
        return [a.replace("DST", lab.dst).replace("FAMILY", family).replace("HOPS", hops)
                for a in self.argv]


def warts(options):
    """scamper writes what it found of the MTU to its warts only."""
    return ["sh", "-c", "d=$(mktemp -d) && scamper -O warts -o $d/w -p 10000 -c "
            f"'trace -P udp-paris -m HOPS -M {options}' -i DST && sc_wartsdump $d/w; rm -rf $d"]


PEERS = [
    Tool("tracepath", ["tracepath", "FAMILY", "-n", "-m", "HOPS", "DST"], read_tracepath),
    Tool("traceroute", ["traceroute", "FAMILY", "-n", "-m", "HOPS", "DST"], read_traceroute),
    Tool("traceroute --mtu", ["traceroute", "FAMILY", "-n", "-m", "HOPS", "--mtu", "DST"], read_traceroute),
    Tool("mtr -c 1 (root)", ["mtr", "FAMILY", "-n", "-u", "-j", "-c", "1", "-m", "HOPS", "DST"], read_mtr,
         root=True),
    Tool("scamper -M (root)", warts(""), read_scamper, root=True, program="sc_wartsdump"),
    Tool("scamper -M -w1 (root)", warts("-w 1"), read_scamper, root=True,
         program="sc_wartsdump"),
]


def ours(build, *options, json_to="--json"):
    path = build + "/prog/sockpath/sockpath"
    return Tool("sockpath" + "".join(" " + o for o in options),
                [path, "FAMILY", "-n", json_to, *options, "DST"], read_ours, program=path)
