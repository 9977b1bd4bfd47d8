# SPDX-License-Identifier: BSD-3-Clause
"""The evasion battery: whatever may get past a filter, thrown at one with sentinels behind it,
first without a filter and then with.

Every attack is a row: its name; why it does not even cross without a filter, as the drop reason
that stands for it, or nothing where every router would forward it; and its frames. All of them
carry the word EVIL, and the number of their row as IPv4 identification.
"""

import collections
import struct
import time

from lab import GATEWAY, GATEWAY_MAC, SECOND, SERVER, WEB, check, first_rule, wait_until

Attack = collections.namedtuple("Attack", "name stopped frames")
FIRST_ID = 0x6000


def tcp(flags):
    return f"ip() / TCP(sport=80, dport=7, flags='{flags}') / EVIL"


def options(name, stopped, text):
    return Attack(name, stopped, f"ip(options=[{text}]) / UDP(sport=81, dport=7) / EVIL")


def source(address):
    return f"ip(src='{address}') / UDP(sport=82, dport=7) / EVIL"


ROUTE = "IPOption_{}SRR(routers=['10.9.0.9'])"
# A TCP segment that no rule permits, to be cut; and one for an open port, without the word.
SEGMENT = "bytes(TCP(sport=83, dport=7, flags='S', chksum=1)) + EVIL * 5"
HARMLESS = "bytes(TCP(sport=83, dport=80, flags='S', chksum=1)) + b'x' * 20"
DATAGRAM = "bytes(UDP(sport=84, dport=7, len=40, chksum=0)) + EVIL * 8"
QUOTED = "IP(src=to, dst=w) / UDP(sport=7, dport=7) / EVIL"

ATTACKS = (
    # Ports that stateless rules would trust.
    Attack("SYN from the port of FTP data", "", "ip() / TCP(sport=20, dport=7, flags='S') / EVIL"),
    Attack("SYN from the port of DNS", "", "ip() / TCP(sport=53, dport=3478, flags='S') / EVIL"),
    Attack("UDP from the port of DNS", "", "ip() / UDP(sport=53, dport=7) / EVIL"),
    Attack("UDP from the port of DHCP", "", "ip() / UDP(sport=67, dport=68) / EVIL"),
    # Segments that open nothing.
    Attack("ACK scan", "no_session", tcp("A")),
    Attack("old ACK with data", "no_session", tcp("PA")),
    Attack("SYN and ACK", "no_session", tcp("SA")),
    Attack("FIN and ACK", "no_session", tcp("FA")),
    Attack("RST", "no_session", tcp("R")),
    Attack("FIN scan", "tcp_flags_bad", tcp("F")),
    Attack("XMAS scan", "tcp_flags_bad", tcp("FPU")),
    Attack("NULL scan", "tcp_flags_bad", tcp("")),
    Attack("SYN and FIN", "tcp_flags_bad", tcp("SF")),
    Attack("SYN and RST", "tcp_flags_bad", tcp("SR")),
    Attack("all flags", "tcp_flags_bad", tcp("FSRPAUEC")),
    Attack("SYN that offers ECN", "", tcp("SEC")),
    Attack("echo reply that nobody asked for", "no_session", "ip() / ICMP(type=0, id=7) / EVIL"),
    # IP options. Source routes and what is no list of options never cross (RFC 7126).
    options("loose source route", "ipv4_options_refused", ROUTE.format("L")),
    options("strict source route", "ipv4_options_refused", ROUTE.format("S")),
    options(
        "option longer than the header",
        "ipv4_options_refused",
        "IPOption(option=7, length=200, value=b'\\4')",
    ),
    options(
        "option of length 0", "ipv4_options_refused", "IPOption(option=7, length=0, value=b'\\4')"
    ),
    options("record route", "", "IPOption_RR(routers=['0.0.0.0'])"),
    options("router alert", "", "IPOption_Router_Alert()"),
    options("unknown option", "", "IPOption(option=30, copy_flag=1, value=b'ab')"),
    # Headers that lie. Who forwards must look at the IPv4 header (RFC 1812 5.2.2) and, to know
    # the ports, at the lengths behind it; the checksum behind it is between the two ends.
    Attack(
        "wrong header checksum",
        "ipv4_checksum_bad",
        "ip(chksum=0x1234) / UDP(sport=85, dport=7) / EVIL",
    ),
    Attack("version 5", "ipv4_malformed", "ip(version=5) / UDP(sport=85, dport=7) / EVIL"),
    Attack("header of four words", "ipv4_malformed", "ip(ihl=4) / UDP(sport=85, dport=7) / EVIL"),
    Attack(
        "longer than its frame", "ipv4_malformed", "ip(len=2000) / UDP(sport=85, dport=7) / EVIL"
    ),
    Attack(
        "shorter than its header", "ipv4_malformed", "ip(len=12) / UDP(sport=85, dport=7) / EVIL"
    ),
    Attack("TTL 0", "ttl_expired", "ip(ttl=0) / UDP(sport=85, dport=7) / EVIL"),
    Attack("TTL 1", "ttl_expired", "ip(ttl=1) / UDP(sport=85, dport=7) / EVIL"),
    Attack("TTL 2", "", "ip(ttl=2) / UDP(sport=85, dport=7) / EVIL"),
    Attack("reserved bit", "", "ip(flags=4) / UDP(sport=85, dport=7) / EVIL"),
    Attack("wrong TCP checksum", "", "ip() / TCP(sport=86, dport=7, flags='S', chksum=1) / EVIL"),
    Attack("wrong UDP checksum", "", "ip() / UDP(sport=86, dport=7, chksum=1) / EVIL"),
    Attack(
        "TCP header of three words",
        "transport_malformed",
        "ip() / TCP(sport=86, dport=80, flags='S', dataofs=3) / EVIL",
    ),
    Attack(
        "TCP header beyond the end",
        "transport_malformed",
        "ip() / TCP(sport=86, dport=80, flags='S', dataofs=15) / EVIL",
    ),
    Attack(
        "UDP beyond the end", "transport_malformed", "ip() / UDP(sport=86, dport=7, len=999) / EVIL"
    ),
    # Other protocols.
    Attack("GRE", "", "ip(proto=47) / (b'\\0' * 8 + EVIL)"),
    Attack("ESP", "", "ip(proto=50) / (b'\\0' * 8 + EVIL)"),
    Attack("protocol 253", "", "ip(proto=253) / EVIL"),
    Attack("echo request", "", "ip() / ICMP(id=7) / EVIL"),
    Attack("address mask request", "", "ip() / ICMP(type=17, id=7) / (b'\\0' * 4 + EVIL)"),
    # Errors about what was never sent.
    Attack("forged unreachable", "icmp_error_unrelated", f"ip() / ICMP(type=3, code=3) / {QUOTED}"),
    Attack("forged time exceeded", "icmp_error_unrelated", f"ip() / ICMP(type=11) / {QUOTED}"),
    Attack(
        "forged fragmentation needed",
        "icmp_error_unrelated",
        f"ip() / ICMP(type=3, code=4, nexthopmtu=68) / {QUOTED}",
    ),
    Attack(
        "forged redirect", "icmp_error_unrelated", f"ip() / ICMP(type=5, code=1, gw=w) / {QUOTED}"
    ),
    Attack(
        "unreachable about itself",
        "icmp_error_unrelated",
        "ip() / ICMP(type=3, code=3) / ip() / ICMP(type=3, code=3) / EVIL",
    ),
    # Sources that are not outside.
    Attack("from an office host", "spoofed_source", source("192.168.1.12")),
    Attack("from a host of the DMZ", "spoofed_source", source("10.9.0.10")),
    Attack("from the gateway's address inside", "spoofed_source", source("192.168.1.1")),
    Attack("from the gateway's address outside", "spoofed_source", source(GATEWAY)),
    Attack("from the broadcast address outside", "spoofed_source", source("203.0.113.255")),
    Attack("from itself", "source_address_bad", "ip(src=to) / UDP(sport=82, dport=82) / EVIL"),
    Attack("from loopback", "source_address_bad", source("127.0.0.1")),
    Attack("from nobody", "source_address_bad", source("0.0.0.0")),
    Attack("from a group", "source_address_bad", source("224.0.0.1")),
    Attack("from class E", "source_address_bad", source("240.0.0.1")),
    Attack("from everybody", "source_address_bad", source("255.255.255.255")),
    # Frames for many, for others, and around IPv4.
    Attack(
        "broadcast frame",
        "destination_address_bad",
        "Ether(dst='ff:ff:ff:ff:ff:ff') / ip() / UDP(sport=87, dport=7) / EVIL",
    ),
    Attack(
        "multicast frame",
        "destination_address_bad",
        "Ether(dst='01:00:5e:00:00:01') / ip() / UDP(sport=87, dport=7) / EVIL",
    ),
    Attack(
        "frame for another station",
        "not_our_mac",
        "Ether(dst='02:00:00:00:09:0a') / ip() / UDP(sport=87, dport=7) / EVIL",
    ),
    Attack(
        "in a VLAN",
        "ethertype_unsupported",
        "Ether(dst=mac) / Dot1Q(vlan=1) / ip() / UDP(sport=87, dport=7) / EVIL",
    ),
    # Pieces. What hides the flags of a TCP header or writes over them never crosses (RFC 1858).
    Attack("TCP in tiny pieces", "fragment_malformed", f"pieces({SEGMENT}, 8)"),
    Attack(
        "TCP flags in the second piece",
        "fragment_malformed",
        f"[ip(proto=6, flags=1) / ({SEGMENT})[:16], ip(proto=6, frag=2) / ({SEGMENT})[16:]]",
    ),
    Attack(
        "second piece over the first",
        "fragment_malformed",
        f"[ip(proto=6, flags=1) / ({HARMLESS}), ip(proto=6, frag=2) / ({SEGMENT})]",
    ),
    Attack(
        "second piece over the ports",
        "fragment_malformed",
        f"[ip(proto=6, flags=1) / ({HARMLESS}), ip(proto=6, frag=1) / ({SEGMENT})]",
    ),
    Attack(
        "another first piece",
        "fragment_malformed",
        f"[ip(proto=6, flags=1) / ({HARMLESS}), ip(proto=6, flags=1) / ({SEGMENT})]",
    ),
    Attack("piece beyond 64 kB", "fragment_malformed", "ip(proto=1, frag=8189) / (EVIL * 25)"),
    Attack(
        "piece of uneven length", "fragment_malformed", f"ip(proto=17, flags=1) / ({DATAGRAM})[:21]"
    ),
    Attack(
        "piece without a first one",
        "fragment_without_first",
        "ip(proto=17, frag=185) / (EVIL * 10)",
    ),
    Attack("UDP in tiny pieces", "", f"pieces({DATAGRAM}, 8)"),
    Attack("pieces in the wrong order", "", f"pieces({DATAGRAM}, 16)[::-1]"),
    Attack("every piece twice", "", f"[p for p in pieces({DATAGRAM}, 24) for _ in (1, 2)]"),
    Attack("TCP in pieces", "", f"pieces({SEGMENT}, 24)"),
)

THROW = """
EVIL, w, mac = b"EVIL", "{web}", "{mac}"
wire = conf.L2socket(iface="wan0")
count = 0
for to in {targets}:
    for number, frames in enumerate({frames}, {first}):
        def ip(**fields):
            fields.setdefault("src", w)
            return IP(dst=to, id=number, **fields)
        def pieces(data, size):
            proto = 6 if data[12:13] == b"\\x50" else 17
            return [ip(proto=proto, frag=at // 8, flags=at + size < len(data)) / data[at:at + size]
                    for at in range(0, len(data), size)]
        frames = eval(frames)
        for frame in frames if isinstance(frames, list) else [frames]:
            wire.send(frame if Ether in frame else Ether(dst=mac) / frame)
            count += 1
            time.sleep(0.002)
print(count)
"""


def frames_of(path):
    """The Ethernet frames that tcpdump wrote."""
    with open(path, "rb") as file:
        data = file.read()
    at = 24
    while at + 16 <= len(data):
        (kept,) = struct.unpack_from("<I", data, at + 8)
        yield data[at + 16 : at + 16 + kept]
        at += 16 + kept


def reached(*wires):
    """The names of the attacks that a sentinel saw."""
    seen = set()
    for wire in wires:
        for frame in frames_of(wire.path):
            number = struct.unpack_from(">H", frame, 18)[0] - FIRST_ID
            if b"EVIL" in frame:
                known = frame[12:14] == b"\x08\x00" and 0 <= number < len(ATTACKS)
                seen.add(ATTACKS[number].name if known else frame[:60].hex())
    return seen


def throw(lab, *targets):
    """Runs the battery; the names of what reached a sentinel."""
    code = THROW.format(
        web=WEB,
        mac=GATEWAY_MAC["outside"],
        targets=targets,
        frames=[attack.frames for attack in ATTACKS],
        first=FIRST_ID,
    )
    with lab.sniff("dmz", "", "in") as dmz, lab.sniff("inside", "", "in") as inside:
        with lab.sniff("outside", "", "out") as outside:
            sent = int(lab.isp.scapy(code))
            wait_until(
                lambda: sum(b"EVIL" in frame for frame in frames_of(outside.path)) > sent / 2,
                3,
                "the battery was not fired",
            )
        time.sleep(0.5)
        return reached(dmz, inside)


def drops(lab):
    return {drop["reason"]: drop["packets"] for drop in lab.ask("show", "drops")["drops"]}


def test_without_filter(lab):
    """Without a filter all that routers forward arrives at a sentinel behind the gateway; what no
    sender may send, or what cannot be told apart, is stopped even then (F04, RFC1812-5.2.2)."""
    head, _ = lab.config().split("\nnat:\n", 1)
    lab.apply(head + "\nfilter:\n  posture: open\n")
    before = drops(lab)
    came = throw(lab, "10.9.0.9")
    passes = {attack.name for attack in ATTACKS if not attack.stopped}
    check(passes <= came, f"did not arrive without a filter: {sorted(passes - came)}")
    check(came <= passes, f"arrived though it never may: {sorted(came - passes)}")
    time.sleep(2.5)  # until the piece without a first one is given up
    after = drops(lab)
    for reason in {attack.stopped for attack in ATTACKS if attack.stopped}:
        wanted = sum(attack.stopped == reason for attack in ATTACKS)
        counted = after.get(reason, 0) - before.get(reason, 0)
        check(counted >= wanted, f"{reason}: {counted} of {wanted} packets counted")


def test_with_filter(lab):
    """With the filter nothing of the battery reaches a sentinel, whichever address it is sent to,
    and what is open stays open (F04, RFC1858-3)."""
    lab.apply(first_rule(lab.config(), "{ name: no-ping, in: wan, service: icmp, action: drop }"))
    came = throw(lab, SERVER, GATEWAY, "192.168.1.10", "10.9.0.9")
    check(not came, f"reached a sentinel: {sorted(came)}")
    check(
        lab.internet.run(f"curl -sS -m 5 http://{SERVER}/").ok,
        "the open port is not open afterwards",
    )


GAMES = """
wire = conf.L2socket(iface="wan0")
EVIL, to = b"EVIL", "{gateway}"
for source, port in (("{web}", 20), ("{web}", 80), ("{second}", 19), ("192.168.1.11", 19)):
    for flags in ("A", "PA", "FA", "R", "RA", "SA", "S", "F", "FPU", ""):
        for number in (0, 1 << 30, 1 << 31, 3 << 30):
            segment = TCP(sport=port, dport={port}, flags=flags, seq=number, ack=number, window=0)
            wire.send(Ether(dst="{mac}") / IP(src=source, dst=to) / segment / EVIL)
    for kind in (0, 3, 8, 11):
        quoted = IP(src=to, dst="{second}") / TCP(sport={port}, dport=19) / EVIL
        message = ICMP(type=kind) / quoted
        wire.send(Ether(dst="{mac}") / IP(src=source, dst=to) / message)
"""


def test_session_games(lab):
    """Nobody but the remote endpoint of a connection gets a segment of any flags and numbers, or an
    error about another one, to the host inside; the connection goes on (F04, F25, RFC5382-REQ3)."""
    with lab.client.start(["nc", "-s", "192.168.1.10", "-p", "45678", WEB, "19"]) as client:
        wait_until(lambda: "tick 3" in client.out(), 10, "no connection came up")
        mapped = [
            session["reply"]["destination"].rsplit(":", 1)[1]
            for session in lab.ask("show", "sessions", "--limit", "999")["sessions"]
            if session["original"]["source"] == "192.168.1.10:45678"
        ]
        check(len(mapped) == 1, f"{len(mapped)} sessions of the client")
        with lab.sniff("inside", "", "in") as inside:
            lab.isp.scapy(
                GAMES.format(
                    gateway=GATEWAY,
                    web=WEB,
                    second=SECOND,
                    port=mapped[0],
                    mac=GATEWAY_MAC["outside"],
                )
            )
            time.sleep(0.5)
            evil = [frame.hex() for frame in frames_of(inside.path) if b"EVIL" in frame]
        check(not evil, f"{len(evil)} reached the client: {evil[:2]}")
        ticks = client.out().count("tick")
        wait_until(lambda: client.out().count("tick") > ticks + 5, 5, "the connection broke")
