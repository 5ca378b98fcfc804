#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""echo.py - Python's own socket, made blameless by ctypes: echo.py ADDRESS PORT

Each datagram goes back to its sender; what became of the answers is printed.
"""
import ctypes as C
import os
import select
import socket
import sys

sky = C.CDLL("libsockeye.so.0")
sky.sky_udp_sendto.restype = C.c_ssize_t
sky.sky_udp_recvfrom.restype = C.c_ssize_t
HANDLE, FATE, ADDR = C.c_uint64 * 1024, C.c_uint64 * 64, C.c_uint8 * 28


def check(rc, doing):
    if rc < 0:
        raise OSError(-rc, "%s: %s" % (doing, os.strerror(-rc)))
    return rc


class Blameless:
    def __init__(self, sock):
        self.sock, self.handle, self.data = sock, HANDLE(), C.create_string_buffer(65536)
        check(sky.sky_udp_adopt(self.handle, sock.fileno(), None), "adopt")

    def recv(self):
        """(data, sender), or None when there is nothing now."""
        src = ADDR()
        n = sky.sky_udp_recvfrom(self.handle, self.data, C.c_size_t(65536), src)
        return (self.data.raw[:n], src) if n >= 0 else None

    def send(self, data, dst):
        return check(sky.sky_udp_sendto(self.handle, data, C.c_size_t(len(data)), dst), "send")

    def errors(self):
        fate, text = FATE(), C.create_string_buffer(200)
        while sky.sky_udp_errors(self.handle, fate, 1, self.data, C.c_size_t(4096)) == 1:
            sky.sky_fate_explain(fate, text, C.c_size_t(200))
            yield text.value.decode()


def main(host, port):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, int(port)))
    u = Blameless(s)
    while True:
        while got := u.recv():
            u.send(*got)
        for what in u.errors():
            print(what, flush=True)
        if not sky.sky_udp_pending(u.handle):  # sleep only on news not yet learnt
            select.select([s], [], [])


main(*sys.argv[1:])
