#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs one program on host s of a lab of bench/path.py, and writes down what it cost.

usage: path_in.py RESULT DESTINATION JOB, the last being JSON: argv, timeout, and
perhaps poison (make the kernel believe in a small path MTU first) or cut (ms after
which the program is killed, and the signal). The round trip is measured first, by
the echo service of the destination. Times are those of the wall clock, as in the
ledger of the lab's routers.
"""
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

ECHO, ECHOES, LOST_S = 7, 7, 0.2
IP_MTU_DISCOVER, IP_PMTUDISC_WANT, IP_MTU = 10, 1, 14


def connected(dst):
    s = socket.socket(socket.AF_INET6 if ":" in dst else socket.AF_INET, socket.SOCK_DGRAM)
    s.connect((dst, ECHO))
    s.settimeout(LOST_S)
    return s


def round_trip(dst):
    """Seconds: the median but for the first, which finds the neighbours."""
    took = []
    with connected(dst) as s:
        for i in range(ECHOES):
            start = time.monotonic()
            s.send(b"%d" % i)
            try:
                while s.recv(64) != b"%d" % i:
                    pass
            except TimeoutError:
                continue
            took.append(time.monotonic() - start)
    return statistics.median(took[1:] or took or [float("nan")])


def poison(dst):
    """Datagrams that do not fit, until the kernel believes its least (552, locked)."""
    with connected(dst) as s:
        s.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_WANT)
        for _ in range(12):
            mtu = s.getsockopt(socket.IPPROTO_IP, IP_MTU)
            if mtu <= 552:
                break
            try:
                s.send(bytes(mtu - 28))
                s.recv(2000)
            except OSError:
                pass
        return s.getsockopt(socket.IPPROTO_IP, IP_MTU)


def run(job, result):
    env = dict(os.environ, LC_ALL="C")
    began = time.time_ns()
    with subprocess.Popen(job["argv"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=env, start_new_session=True) as p:
        try:
            out, err = p.communicate(timeout=job.get("cut", job["timeout"]))
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.Signals[job.get("signal", "SIGKILL")])
            try:
                out, err = p.communicate(timeout=5)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                out, err = p.communicate()
            result["killed"] = True
        result.update(began=began, ended=time.time_ns(), status=p.returncode,
                      out=out.decode(errors="replace"), err=err.decode(errors="replace"))


def main():
    to, dst, job = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    result = {"trip": round_trip(dst), "load": os.getloadavg()[0], "uid": os.getuid()}
    if job.get("poison"):
        result["cached"] = poison(dst)
    run(job, result)
    with open(to, "w", encoding="utf-8") as f:
        json.dump(result, f)


if __name__ == "__main__":
    main()
