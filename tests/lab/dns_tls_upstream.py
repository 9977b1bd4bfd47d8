#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The server of dns_upstream.py by TLS: dns_tls_upstream.py ADDRESS PORT CERTIFICATE KEY

Prints a line "tls LENGTH" for each query, and "refused" where the client breaks the handshake off.
"""

import contextlib
import socket
import ssl
import struct
import sys
import threading

import dns_upstream


def read(stream, length):
    octets = b""
    while len(octets) < length:
        more = stream.recv(length - len(octets))
        if not more:
            raise ConnectionError
        octets += more
    return octets


def serve(client, context):
    with client, contextlib.suppress(ConnectionError):
        try:
            stream = context.wrap_socket(client, server_side=True)
            head = read(stream, 2)
        except (ssl.SSLError, ConnectionError):
            print("refused", flush=True)
            return
        with stream:
            while True:
                query = read(stream, struct.unpack("!H", head)[0])
                print("tls", len(query), flush=True)
                for answer in dns_upstream.answers(query, True):
                    stream.sendall(struct.pack("!H", len(answer)) + answer)
                head = read(stream, 2)


def main(address, port, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server((address, int(port))) as listener:
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client, context), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
