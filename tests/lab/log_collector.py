#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A syslog collector: log_collector.py udp|tcp|tls PORT FILE [CERTIFICATE KEY]

Writes one message a line to FILE. Streams are read by octet counting (RFC 6587), whole messages
only.
"""

import socket
import ssl
import sys


def frames(connection):
    text = b""
    while True:
        more = connection.recv(65536)
        if not more:
            return
        text += more
        while b" " in text[:8]:
            length, _, rest = text.partition(b" ")
            if len(rest) < int(length):
                break
            yield rest[: int(length)]
            text = rest[int(length) :]


def datagrams(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as at:
        at.bind(("", port))
        while True:
            yield at.recv(65536)


def streams(port, context):
    with socket.create_server(("", port)) as listener:
        while True:
            connection, _ = listener.accept()
            if context:
                connection = context.wrap_socket(connection, server_side=True)
            yield from frames(connection)


def main():
    protocol, port, path, *pair = sys.argv[1:]
    context = None
    if protocol == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
    messages = datagrams(int(port)) if protocol == "udp" else streams(int(port), context)
    with open(path, "ab", buffering=0) as file:
        for message in messages:
            file.write(message + b"\n")


if __name__ == "__main__":
    main()
