# SPDX-License-Identifier: BSD-2-Clause
"""What bench/path.py calls right, and how it says so."""
import statistics


class Judge:
    def __init__(self):
        self.said = self.failed = 0

    def say(self, text, met):
        self.said += 1
        self.failed += not met
        print(f"    {text}: {'PASS' if met else 'NOT MET'}", flush=True)

    def status(self):
        return 4 if self.failed else 0


def hops_right(read, truth):
    """Every answering router by its address; trailing silence may be shown or not."""
    want, got = list(truth["hops"]), list(read["hops"])
    while want and want[-1] is None:
        want.pop()
    while got and got[-1] is None:
        got.pop()
    return got == want


def mtu_right(read, truth):
    return None if read["mtu"] is None else read["mtu"] == truth["mtu"]


def judgements(run, hop):
    return [r.get("judged") for r in run.read["records"] if r.get("hop") == hop]


def what_is_wrong(run):
    """About a run of ours: a text, or None if everything is as the topology has it."""
    truth, end = run.lab.truth, run.read.get("summary", {})
    if run.error or run.killed or not end:
        return f"no result: {run.error or 'killed' if run.killed else run.got['err'][-200:]}"
    if not hops_right(run.read, truth):
        return f"hops {run.read['hops']}"
    if truth.get("bounded"):
        if (end.get("pmtu_part"), end.get("pmtu_hop")) != (truth["mtu"], truth["n"]):
            return f"proven {end.get('pmtu_part')} up to hop {end.get('pmtu_hop')}"
        return None if run.got["status"] == 3 else f"status {run.got['status']}"
    if end.get("pmtu") != truth["mtu"] or end.get("certainty") != "exact":
        return f"pmtu {end.get('pmtu')}, {end.get('certainty')}"
    if end.get("set_by_hop", 0) != truth["after"]:
        return f"set by hop {end.get('set_by_hop')}"
    if (end.get("limit") == "black-hole") != truth.get("hole", False):
        return f"limit {end.get('limit')}"
    if truth.get("judged") and truth["judged"] not in judgements(run, truth["after"]):
        return f"what the router told is judged {judgements(run, truth['after'])}"
    if truth.get("poison") and end.get("cached_mtu") != run.got["cached"]:
        return f"cached {end.get('cached_mtu')}, the kernel has {run.got['cached']}"
    return None if run.got["status"] == 0 else f"status {run.got['status']}"


def word(values):
    known = [v for v in values if v is not None]
    if not known:
        return "-"
    return "right" if all(known) else "WRONG" if not any(known) else "mixed"


def cell(name, runs, lab):
    """One line of the table."""
    if not runs:
        return f"    {name:24} no result"
    trips = statistics.median(r.trips for r in runs)
    seconds = statistics.median(r.seconds for r in runs)
    packets = statistics.median(r.packets for r in runs)
    mtus = sorted({str(r.read["mtu"]) for r in runs if r.read["mtu"]})
    return (f"    {name:24} {trips:7.1f} R {seconds:8.3f} s {packets:5.0f} packets  hops "
            f"{word([hops_right(r.read, lab.truth) for r in runs]):5}  MTU "
            f"{word([mtu_right(r.read, lab.truth) for r in runs])} {'/'.join(mtus)}"
            + ("  KILLED" if any(r.killed for r in runs) else ""))
