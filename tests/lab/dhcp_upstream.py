#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A provider's DHCP server that does as a file says: dhcp_upstream.py DEVICE FILE

FILE is JSON, read anew for each message: "address", "mask", "router", "dns", "lease_s", "t1_s",
"t2_s"; "silent": nothing is answered; "options": more of them, as hexadecimal text by number. Who
asks for another address than "address" gets a NAK. Answers go as the client's broadcast flag says.
Prints one line a message: its type, the address that it is about, how it came, and what was
answered.
"""

import json
import socket
import struct
import sys

SERVER = "203.0.113.1"
TYPES = {1: "DISCOVER", 2: "OFFER", 3: "REQUEST", 4: "DECLINE", 5: "ACK", 6: "NAK", 7: "RELEASE"}
BROADCAST = b"\xff" * 6


def read_options(data):
    options, place = {}, 240
    while place < len(data) and data[place] != 255:
        if data[place] == 0:
            place += 1
            continue
        length = data[place + 1]
        options[data[place]] = data[place + 2 : place + 2 + length]
        place += 2 + length
    return options


def option(number, value):
    return bytes([number, len(value)]) + value


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(own_mac, to_mac, to, message):
    """Ethernet, IPv4 and UDP, for a client that may have no address yet."""
    udp = struct.pack("!HHHH", 67, 68, 8 + len(message), 0) + message
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
    ends = socket.inet_aton(SERVER) + socket.inet_aton(to)
    head = head[:10] + struct.pack("!H", checksum(head + ends)) + ends
    return to_mac + own_mac + b"\x08\x00" + head + udp


def answer_of(data, options, now):
    """(type of the answer or None, address that the question is about)."""
    kind = options.get(53, b"\0")[0]
    asked = socket.inet_ntoa(options.get(50, data[12:16]))
    if now.get("silent"):
        return None, asked
    if kind == 1:
        return 2, asked
    if kind == 3:
        return (5 if asked == now["address"] else 6), asked
    return None, asked


def message(data, kind, now):
    head = b"\x02" + data[1:4] + data[4:8] + b"\0\0" + data[10:12] + data[12:16]
    address = "0.0.0.0" if kind == 6 else now["address"]
    head += socket.inet_aton(address) + b"\0" * 8 + data[28:44] + b"\0" * 192
    out = head + b"\x63\x82\x53\x63" + option(53, bytes([kind]))
    out += option(54, socket.inet_aton(SERVER))
    if kind != 6:
        out += option(51, struct.pack("!I", now["lease_s"]))
        out += option(1, socket.inet_aton(now.get("mask", "255.255.255.0")))
        out += option(3, socket.inet_aton(now.get("router", SERVER)))
        for number, key in ((58, "t1_s"), (59, "t2_s")):
            if key in now:
                out += option(number, struct.pack("!I", now[key]))
        if "dns" in now:
            out += option(6, socket.inet_aton(now["dns"]))
        for number, text in now.get("options", {}).items():
            out += option(int(number), bytes.fromhex(text))
    return out + b"\xff"


def main():
    device, path = sys.argv[1:]
    heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    heard.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    heard.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO
    heard.bind(("0.0.0.0", 67))
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind((device, 0))
    own_mac = wire.getsockname()[4]
    while True:
        data, notes, _, peer = heard.recvmsg(2048, 256)
        came_to = socket.inet_ntoa(notes[0][2][8:12])
        with open(path, encoding="utf-8") as file:
            now = json.load(file)
        options = read_options(data)
        kind, asked = answer_of(data, options, now)
        how = "broadcast" if came_to == "255.255.255.255" else "unicast"
        said = TYPES.get(options.get(53, b"\0")[0], "?")
        print(said, asked, how, TYPES.get(kind, "-"), f"from {peer[0]}:{peer[1]}", flush=True)
        if kind is None:
            continue
        flagged = data[10] & 0x80 or kind == 6
        to = "255.255.255.255" if flagged else socket.inet_ntoa(data[12:16])
        to = now["address"] if to == "0.0.0.0" else to
        mac = BROADCAST if flagged else data[28:34]
        wire.send(frame(own_mac, mac, to, message(data, kind, now)))


main()
