#!/usr/bin/env python3
"""Says who it is and whom it sees, over TCP and UDP in both families; what a TCP client sends after that it gets back.

usage: answer.py PORT
"""
import socket
import sys
import threading


def answer(client):
    address, port = client[0].removeprefix("::ffff:"), client[1]
    return f"{socket.gethostname()} sees {address} port {port}\n".encode()


def dual_stack(kind, port):
    sock = socket.socket(socket.AF_INET6, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", port))
    return sock


def echo(connection, client):
    with connection:
        try:
            connection.sendall(answer(client))
            while octets := connection.recv(65536):
                connection.sendall(octets)
        except OSError:
            pass  # The client is gone: nobody is left to be told.


def tcp(port):
    with dual_stack(socket.SOCK_STREAM, port) as sock:
        sock.listen(128)
        while True:
            threading.Thread(target=echo, args=sock.accept(), daemon=True).start()


def udp(port):
    with dual_stack(socket.SOCK_DGRAM, port) as sock:
        # Sent back with the datagram: the answer's source is the address that was asked.
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        while True:
            _, asked, _, client = sock.recvmsg(65536, 256)
            sock.sendmsg([answer(client)], asked, 0, client)


threading.Thread(target=udp, args=[int(sys.argv[1])], daemon=True).start()
tcp(int(sys.argv[1]))
