#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A DNS server that behaves as the name that it is asked for says: dns_upstream.py ADDRESS PORT

Prints one line a query, "udp NAME TYPE", the name as it was spelled. The first label says what
becomes of the query, for A records:

  inside      192.168.1.5, an address of a private network
  big         by UDP cut short, by TCP 200 addresses
  foreign     beside the answer a record of another name, and an additional one
  liar        first an answer with a wrong ID, then one to another question, then the right one
  plain       FORMERR to a query with EDNS
  silent      nothing
  missing     NXDOMAIN with an SOA of 60 s
  any other   198.51.100.10, with a TTL of 60 s
"""

import socket
import struct
import sys
import threading

RIGHT = "198.51.100.10"
WRONG = "198.51.100.66"


def read_question(query):
    labels, place = [], 12
    while query[place]:
        labels.append(query[place + 1 : place + 1 + query[place]].decode("ascii", "replace"))
        place += 1 + query[place]
    (kind,) = struct.unpack("!H", query[place + 1 : place + 3])
    return ".".join(labels), kind, query[12 : place + 5]


def name_of(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def address(owner, value, ttl=60):
    return owner + struct.pack("!HHIH", 1, 1, ttl, 4) + socket.inet_aton(value)


def message(query, question, rcode=0, sections=((), (), ()), flags=0x8180):
    counts = [len(records) for records in sections]
    head = query[:2] + struct.pack("!HHHHH", flags | rcode, 1, *counts)
    return head + question + b"".join(b"".join(records) for records in sections)


def answers(query, by_tcp):
    """The datagrams that answer a query, in order."""
    name, kind, question = read_question(query)
    print("tcp" if by_tcp else "udp", name, kind, flush=True)
    here = b"\xc0\x0c"
    first = name.lower().split(".")[0]
    right = message(query, question, sections=((address(here, RIGHT),), (), ()))
    if first == "silent":
        return []
    if first == "plain" and query[11] > 0:
        return [message(query, question, 1)]
    if first == "missing":
        soa = name_of("example") + struct.pack("!HHIH", 6, 1, 60, 22) + b"\0\0"
        soa += struct.pack("!IIIII", 1, 2, 3, 4, 60)
        return [message(query, question, 3, ((), (soa,), ()))]
    if kind != 1:
        return [message(query, question)]
    if first == "inside":
        return [message(query, question, sections=((address(here, "192.168.1.5"),), (), ()))]
    if first == "big":
        if not by_tcp:
            return [message(query, question, flags=0x8380)]
        many = tuple(address(here, f"198.51.100.{i}") for i in range(1, 201))
        return [message(query, question, sections=(many, (), ()))]
    if first == "foreign":
        other = address(name_of("victim.example"), WRONG)
        return [message(query, question, sections=((address(here, RIGHT), other), (), (other,)))]
    if first == "liar":
        wrong = message(query, question, sections=((address(here, WRONG),), (), ()))
        wrong_id = bytes([wrong[0] ^ 0xFF]) + wrong[1:]
        other = name_of("other.example") + question[-4:]
        elsewhere = message(query, other, sections=((address(here, WRONG),), (), ()))
        return [wrong_id, elsewhere, right]
    return [right]


def serve_udp(at):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(at)
        while True:
            query, client = sock.recvfrom(4096)
            for answer in answers(query, False):
                sock.sendto(answer, client)


def serve_tcp(at):
    with socket.create_server(at) as listener:
        while True:
            client, _ = listener.accept()
            with client:
                head = client.recv(2, socket.MSG_WAITALL)
                if len(head) < 2:
                    continue
                query = client.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)
                for answer in answers(query, True):
                    client.sendall(struct.pack("!H", len(answer)) + answer)


if __name__ == "__main__":
    place = (sys.argv[1], int(sys.argv[2]))
    threading.Thread(target=serve_tcp, args=(place,), daemon=True).start()
    serve_udp(place)
