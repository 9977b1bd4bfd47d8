#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Clients beyond number behind a relay, and what they were promised: dhcp_exchanges.py RELAY SERVER
COUNT SECONDS

Plays the relay at its address RELAY: WINDOW clients at a time, each with a whole exchange; every
fifth one is a client from before that has restarted and asks for its address again. It goes on
while the server is away and ends once COUNT addresses were promised, or after SECONDS. Prints a
line for each promise as it is read: `ack CLIENT ADDRESS`, `again CLIENT ADDRESS`, or what must not
be: `nak CLIENT ADDRESS` to a client that was promised it, `twice CLIENT ADDRESS` of an address that
is offered to one client and was promised to another.
"""

import random
import select
import socket
import struct
import sys
import time

WINDOW = 4
PATIENCE = 0.3  # seconds until a client asks again
MAGIC = bytes([99, 130, 83, 99])
DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6


class Exchanges:
    def __init__(self, relay, server):
        self.relay, self.server = socket.inet_aton(relay), socket.inet_aton(server)
        self.to = (server, 67)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((relay, 67))
        self.socket.setblocking(False)
        self.random = random.Random(7)
        self.owners = {}  # address -> client that it was promised to
        self.addresses = {}  # client -> address
        self.open = {}  # client -> [what it sent, the address in it, when]
        self.newest = 0

    def send(self, client, kind, address=None):
        head = struct.pack("!BBBBIHH", 1, 1, 6, 1, client, 0, 0) + bytes(12) + self.relay
        options = MAGIC + bytes([53, 1, kind])
        if address:
            options += bytes([50, 4]) + address
        if address and client not in self.addresses:
            options += bytes([54, 4]) + self.server
        mac = struct.pack("!HI", 0x0200, client)
        self.open[client] = [kind, address, time.monotonic()]
        self.socket.sendto(head + mac + bytes(10 + 192) + options + bytes([255]), self.to)

    def begin(self):
        known = [client for client in self.addresses if client not in self.open]
        if known and self.random.random() < 0.2:
            client = self.random.choice(known)
            self.send(client, REQUEST, self.addresses[client])
            return
        self.newest += 1
        self.send(self.newest, DISCOVER)

    def take(self, data):
        (client,) = struct.unpack("!I", data[4:8])
        kind, address = data[242], data[16:20]
        if client not in self.open:
            return
        sent, wanted, _ = self.open[client]
        if sent == DISCOVER and kind == OFFER:
            if self.owners.get(address, client) != client:
                self.tell("twice", client, address)
            self.send(client, REQUEST, address)
        elif sent == REQUEST and kind == ACK:
            if self.owners.get(address, client) != client:
                self.tell("twice", client, address)
            self.tell("again" if client in self.addresses else "ack", client, address)
            self.owners[address] = client
            self.addresses[client] = address
            del self.open[client]
        elif sent == REQUEST and kind == NAK:
            # An offer does not outlive the server, a promise does.
            if client in self.addresses:
                self.tell("nak", client, wanted)
            del self.open[client]

    @staticmethod
    def tell(word, client, address):
        print(word, client, socket.inet_ntoa(address), flush=True)

    def repeat(self):
        now = time.monotonic()
        for client, (kind, address, sent_at) in list(self.open.items()):
            if now - sent_at > PATIENCE:
                self.send(client, kind, address)

    def run(self, count, seconds):
        end = time.monotonic() + seconds
        while len(self.addresses) < count and time.monotonic() < end:
            try:
                while len(self.open) < WINDOW:
                    self.begin()
                if select.select([self.socket], [], [], PATIENCE / 3)[0]:
                    self.take(self.socket.recv(2048))
                self.repeat()
            except OSError:
                time.sleep(PATIENCE / 3)  # the server is away


if __name__ == "__main__":
    Exchanges(sys.argv[1], sys.argv[2]).run(int(sys.argv[3]), float(sys.argv[4]))
