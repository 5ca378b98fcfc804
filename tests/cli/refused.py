# SPDX-License-Identifier: BSD-2-Clause
"""Runs a build of examples/refused.c against a closed port of loopback, and against
one that is open and says nothing: only the closed one may be named."""
import socket
import subprocess


def names_the_dead_one(argv, env=None):
    """(True, output) if the program named the closed port and no other."""
    closed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    closed.bind(("127.0.0.1", 0))
    opened.bind(("127.0.0.1", 0))
    dead, alive = closed.getsockname()[1], opened.getsockname()[1]
    closed.close()
    try:
        run = subprocess.run(argv + ["127.0.0.1:%d" % dead, "127.0.0.1:%d" % alive],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             timeout=30, env=env)
        opened.settimeout(5)
        arrived = opened.recv(100) == b"hello"
    except (subprocess.TimeoutExpired, OSError) as e:
        return False, str(e)
    finally:
        opened.close()
    lines = [line for line in run.stdout.splitlines() if "refused" in line]
    fine = (run.returncode == 0 and arrived and len(lines) == 1
            and str(dead) in lines[0] and str(alive) not in lines[0])
    return fine, "status %d\n%s%s" % (run.returncode, run.stdout, run.stderr)
