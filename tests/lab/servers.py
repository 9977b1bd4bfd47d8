#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The servers of a lab host: servers.py HOST ADDRESS...

All listen on each ADDRESS, so that an answer comes from the address that was asked.

  tcp 80, 8080, 44333  web: says who asks; /bytes/N sends N bytes
  tcp 7, udp 7         echo
  tcp 19               a line every tenth of a second: a session that can be seen to live
  tcp 3478, udp 3478   says from which address and port it is asked, as a STUN server does
  tcp 53, udp 53       DNS: the names of ZONE
"""

import asyncio
import os
import socket
import struct
import sys

WEB_PORTS = (80, 8080, 44333)
ECHO_PORT = 7
TICK_PORT = 19
WHO_PORT = 3478
DNS_PORT = 53

ZONE = {
    "web.example": "198.51.100.10",
    "second.example": "198.51.100.20",
    "ns.example": "198.51.100.53",
    "gateway.example": "203.0.113.2",
    "server.example": "203.0.113.9",
}


def who(writer):
    return "%s:%d" % writer.get_extra_info("peername")


async def web(host, reader, writer):
    request = await reader.readuntil(b"\r\n\r\n")
    path = request.split(b" ", 2)[1].decode("ascii", "replace")
    length = 0
    if path.startswith("/bytes/") and path[7:].isdigit():
        length = int(path[7:])
        body = b""
    else:
        port = writer.get_extra_info("sockname")[1]
        body = f"{host} port {port}: you are {who(writer)}\n".encode()
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (length + len(body), body)
    )
    while length > 0:
        writer.write(b"x" * min(length, 65536))
        length -= 65536
        await writer.drain()


async def echo(_host, reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def tick(host, _reader, writer):
    count = 0
    while True:
        writer.write(b"%s tick %d\n" % (host.encode(), count))
        await writer.drain()
        await asyncio.sleep(0.1)
        count += 1


async def say_who(_host, _reader, writer):
    writer.write(who(writer).encode() + b"\n")


async def dns_over_tcp(_host, reader, writer):
    (length,) = struct.unpack("!H", await reader.readexactly(2))
    answer = dns_answer(await reader.readexactly(length))
    writer.write(struct.pack("!H", len(answer)) + answer)


def dns_answer(query):
    """The answer to one question: an A record of ZONE, no data for other types, or NXDOMAIN."""
    labels = []
    place = 12
    while query[place]:
        labels.append(query[place + 1 : place + 1 + query[place]].decode("ascii", "replace"))
        place += 1 + query[place]
    question = query[12 : place + 5]
    (kind,) = struct.unpack("!H", query[place + 1 : place + 3])
    address = ZONE.get(".".join(labels).lower())
    records = b""
    if address and kind == 1:
        records = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(address)
    flags = 0x8580 | (0 if address else 3)
    header = struct.pack("!HHHHHH", *struct.unpack("!H", query[:2]), flags, 1, bool(records), 0, 0)
    return header + question + records


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer):
        self.answer = answer
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        try:
            self.transport.sendto(self.answer(data, peer), peer)
        except (IndexError, struct.error):
            pass  # not a question


def handler(host, serve):
    async def handle(reader, writer):
        try:
            await serve(host, reader, writer)
            await writer.drain()
        except (OSError, EOFError, ValueError, IndexError, asyncio.LimitOverrunError):
            pass  # the client went away or talks nonsense
        finally:
            writer.close()

    return handle


async def listen(host, address):
    loop = asyncio.get_running_loop()
    tcp = {ECHO_PORT: echo, TICK_PORT: tick, WHO_PORT: say_who, DNS_PORT: dns_over_tcp}
    tcp.update({port: web for port in WEB_PORTS})
    for port, serve in tcp.items():
        await asyncio.start_server(handler(host, serve), address, port, backlog=512)
    udp = {
        ECHO_PORT: lambda data, _peer: data,
        WHO_PORT: lambda _data, peer: b"%s:%d\n" % (peer[0].encode(), peer[1]),
        DNS_PORT: lambda data, _peer: dns_answer(data),
    }
    for port, answer in udp.items():
        await loop.create_datagram_endpoint(
            lambda answer=answer: Datagrams(answer), local_addr=(address, port)
        )


def say_ready():
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.sendto(b"READY=1", path)


async def main(host, addresses):
    for address in addresses:
        await listen(host, address)
    say_ready()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
