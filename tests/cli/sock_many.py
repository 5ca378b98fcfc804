#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""10,000 clients at once of the event-driven echo service, within 64 MiB."""
import re
import resource
import signal
import socket
import subprocess

import sockbed
from sockbed import Live, sock
from tap import done, ok, skip_all

CLIENTS = 10000
LIMIT = 64 << 10    # KiB

hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
if hard < CLIENTS + 100:
    skip_all("the hard limit on descriptors is %d" % hard)
sockbed.enter()
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as f:
    f.write("10000 60000")


def kernel():
    tcp = re.search(r"TCP: .*mem (\d+)", open("/proc/net/sockstat").read())
    slab = re.search(r"SUnreclaim: +(\d+)", open("/proc/meminfo").read())
    return int(tcp[1]) * 4, int(slab[1])


# It starts with a small soft limit and raises it by itself.
p = Live.__new__(Live)
p.p = subprocess.Popen(["prlimit", "--nofile=256:%d" % hard, sockbed.SOCK, "-s", "-v", "--service", "echo", "7"],
                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
p.text = {p.p.stdout: ""}
while True:     # until it listens
    try:
        socket.create_connection(("127.0.0.1", 7)).close()
        break
    except ConnectionRefusedError:
        if p.p.poll() is not None:
            break
before = kernel()
clients = []
for i in range(CLIENTS):
    c = socket.create_connection(("127.0.0.1", 7), timeout=sockbed.DEADLINE)
    clients.append(c)
for i, c in enumerate(clients):
    c.sendall(b"client %d" % i)
right = sum(c.recv(100) == b"client %d" % i for i, c in enumerate(clients))
ok(right == CLIENTS, "each of %d clients gets its echo" % CLIENTS, right)
with open("/proc/%d/status" % p.p.pid) as f:
    rss = int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])
after = kernel()
ok(rss < LIMIT, "within 64 MiB resident", "%d KiB" % rss)
print("# %d KiB resident; kernel: %d KiB in TCP queues, about %d KiB of slab, both ends"
      % (rss, after[0] - before[0], after[1] - before[1]))
for c in clients[::2]:
    c.close()
last = clients[1]
last.sendall(b"still")
ok(last.recv(10) == b"still", "when half of them leave the others stay")
p.p.send_signal(signal.SIGINT)
ok(p.p.wait(sockbed.DEADLINE) == 0, "Ctrl-C ends it")
done()
