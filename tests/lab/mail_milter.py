#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A milter (protocol version 6, by hand): mail_milter.py PATH

  a body with the EICAR test string     refused by 550 5.7.1
  a body with "please hold"             held
  any other                             passes, with a field X-Scanned
Prints a line for each message: what it said, who sent it, how many octets of body.
"""

import contextlib
import os
import socket
import struct
import sys
import threading

EICAR = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"
VERSION = 6
ADDS_FIELDS, HOLDS = 0x01, 0x20
NO_HELO, NO_FIELDS = 0x02, 0x20
MUTE_BODY = 0x80000


def read(stream, length):
    octets = b""
    while len(octets) < length:
        more = stream.recv(length - len(octets))
        if not more:
            raise ConnectionError
        octets += more
    return octets


def packet(command, data=b""):
    return struct.pack("!I", len(data) + 1) + command + data


def judge(body):
    """(word, packets) for the end of a body."""
    if EICAR in body:
        return "infected", packet(b"y", b"550 5.7.1 Eicar-Test-Signature\0")
    if b"please hold" in body:
        return "hold", packet(b"q", b"somebody should look\0") + packet(b"c")
    return "clean", packet(b"h", b"X-Scanned\0clean\0") + packet(b"c")


def talk(stream):
    body, sender = b"", ""
    while True:
        (length,) = struct.unpack("!I", read(stream, 4))
        octets = read(stream, length)
        command, data = octets[:1], octets[1:]
        if command == b"O":
            answer = packet(b"O", struct.pack("!III", VERSION, ADDS_FIELDS | HOLDS,
                                              NO_HELO | NO_FIELDS | MUTE_BODY))
        elif command == b"D":
            answer = b""
        elif command == b"B":
            body, answer = body + data, b""
        elif command == b"E":
            word, answer = judge(body)
            print(word, sender, len(body), flush=True)
        elif command == b"Q":
            return
        else:
            if command == b"M":
                sender = data.split(b"\0")[0].decode()
            answer = packet(b"c")
        stream.sendall(answer)


def serve(stream):
    with stream, contextlib.suppress(ConnectionError):
        talk(stream)


def main(path):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    print("ready", flush=True)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
