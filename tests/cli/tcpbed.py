# SPDX-License-Identifier: BSD-2-Clause
"""Peers for sock over TCP, and outside views of its sockets."""
import ctypes
import os
import re
import select
import socket
import subprocess
import threading
import time

from sockbed import DEADLINE

LIBC = ctypes.CDLL(None, use_errno=True)


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listening(address, backlog=16):
    s = socket.socket(family(address), socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, 0))
    s.listen(backlog)
    s.settimeout(DEADLINE)
    return s, s.getsockname()[1]


def closed(address):
    with socket.socket(family(address), socket.SOCK_STREAM) as s:
        s.bind((address, 0))
        return s.getsockname()[1]


class Peer(threading.Thread):
    """Accepts each connection and hands it to serve(connection) in a thread."""

    def __init__(self, address, serve):
        super().__init__(daemon=True)
        self.listener, self.port = listening(address)
        self.serve, self.results, self.news = serve, [], threading.Condition()
        self.start()

    def run(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(conn,), daemon=True).start()

    def one(self, conn):
        conn.settimeout(DEADLINE)
        result = self.serve(conn)
        with self.news:
            self.results.append(result)
            self.news.notify_all()

    def result(self, i=0):
        with self.news:
            self.news.wait_for(lambda: len(self.results) > i, DEADLINE)
            return self.results[i] if len(self.results) > i else None


def read_all(conn):
    """Everything up to the end: b"..." for a FIN, and "reset" behind it for a RST."""
    data = b""
    while True:
        try:
            more = conn.recv(65536)
        except ConnectionResetError:
            conn.close()
            return data, "reset"
        if not more:
            conn.close()
            return data, "fin"
        data += more


def echo(conn):
    while True:
        try:
            data = conn.recv(65536)
        except OSError:
            break
        if not data:
            break
        conn.sendall(data)
    conn.close()


def until(what, timeout=DEADLINE):
    end = time.monotonic() + timeout
    while not what():
        if time.monotonic() > end:
            return False
        select.select([], [], [], 0.005)
    return True


def ss(*args):
    return subprocess.run(["ss", "-Hn"] + list(args), capture_output=True, text=True).stdout


def listener_queue(port):
    """(waiting, backlog) of a listening port, as ss sees it."""
    for line in ss("-tl").splitlines():
        f = line.split()
        if f[3].endswith(":%d" % port):
            return int(f[1]), int(f[2])
    return None


def steal(pid, port):
    """A second descriptor of the process's TCP socket with that own or peer port."""
    pidfd = os.pidfd_open(pid)
    try:
        for name in os.listdir("/proc/%d/fd" % pid):
            if "socket:" not in os.readlink("/proc/%d/fd/%s" % (pid, name)):
                continue
            fd = LIBC.syscall(438, pidfd, int(name), 0)
            if fd < 0:
                continue
            s = socket.socket(fileno=fd)
            if s.type == socket.SOCK_STREAM and s.family in (socket.AF_INET, socket.AF_INET6):
                try:
                    if port in (s.getsockname()[1], s.getpeername()[1]):
                        return s
                except OSError:
                    pass
            s.close()
    except OSError:
        return None
    finally:
        os.close(pidfd)
    return None


def listening_sock(live):
    """The port of a Live server that was started with -v."""
    if not live.await_text(r"waiting on \S+\.\d+"):
        return None
    return int(re.search(r"waiting on \S*[.:](\d+)$", live.err, re.M).group(1))
