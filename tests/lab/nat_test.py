# SPDX-License-Identifier: BSD-3-Clause
"""Address translation: what is hidden, what is mapped, what comes back."""

import re
import struct

from lab import GATEWAY, GATEWAY_MAC, SECOND, SERVER, WEB, check, first_rule, wait_until

INSIDE = ("192.168.1.10", "192.168.1.11", "192.168.1.12", "172.16.5.10", "10.9.0.10", "10.9.0.9")


def test_one_port_for_all(lab):
    """An inside endpoint keeps its external port for every remote host, by UDP and TCP; another
    endpoint gets another (RFC4787-REQ1, RFC5382-REQ1)."""
    told = lab.client.python(
        f"""
        import socket
        def ask(kind, port, remote):
            s = socket.socket(socket.AF_INET, kind)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.settimeout(3)
            s.bind(("192.168.1.10", port))
            s.connect((remote, 3478))
            s.send(b"who?")
            return s.recv(100).decode().strip()
        questions = ((40001, "{WEB}"), (40001, "{SECOND}"), (40002, "{WEB}"))
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            print(*[ask(kind, *question) for question in questions])
        """
    )
    for line in told.splitlines():
        first, again, other = line.split()
        check(first.startswith(GATEWAY + ":"), line)
        check(first == again, f"two ports for one endpoint: {line}")
        check(first != other, f"one port for two endpoints: {line}")


PROBE = f"""
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
s.bind(("192.168.1.10", 0))
s.sendto(b"who?", ("{WEB}", 3478))
print("port", s.recv(100).decode().strip().split(":")[1], flush=True)
try:
    while True:
        print("%s:%d" % s.recvfrom(100)[1], flush=True)
except socket.timeout:
    print("end")
"""


def knocks(lab):
    """Who may answer through a mapping that the client opened to WEB:3478: the remote endpoints
    whose packets arrived."""
    with lab.client.start(["/usr/bin/python3", "-c", PROBE]) as probe:
        wait_until(lambda: "port" in probe.out(), 5, "the client got no mapping")
        port = probe.out().split()[1]
        for source in (WEB, SECOND):
            lab.internet.run(
                ["sh", "-c", f"echo x | nc -u -w 1 -s {source} -p 3479 {GATEWAY} {port}"]
            )
        return set(probe.wait(10).out.split()[2:-1])


def test_filtering_levels(lab):
    """Who may answer through a mapping is as nat.filtering says (RFC4787-REQ8)."""
    same, other = f"{WEB}:3479", f"{SECOND}:3479"
    levels = {
        "address_and_port_dependent": set(),
        "address_dependent": {same},
        "endpoint_independent": {same, other},
    }
    for level, expected in levels.items():
        lab.apply(lab.config().replace("\nnat:\n", f"\nnat:\n  filtering: {level}\n"))
        came = knocks(lab)
        check(came == expected, f"{level}: {came} came, expected {expected}")


def test_hairpin(lab):
    """Inside hosts reach mapped services by the public address: from the office to the DMZ and to
    the office, from the DMZ to both, and a server itself (RFC4787-REQ9)."""
    for host, source in (
        (lab.client, "192.168.1.10"),
        (lab.client, "172.16.5.10"),
        (lab.client2, "192.168.1.11"),
        (lab.dmz, "10.9.0.10"),
    ):
        page = host.must(f"curl -sS -m 5 --interface {source} http://{GATEWAY}:5555/")
        check(
            page.startswith(f"dmz port 44333: you are {GATEWAY}:"), f"{source} to the DMZ: {page}"
        )
        told = host.must(["sh", "-c", f"nc -N -w 5 -s {source} {GATEWAY} 7008 </dev/null"])
        check(told.startswith(GATEWAY + ":"), f"{source} to client2: {told}")


def test_hairpin_one_to_one(lab):
    """The office reaches the one-to-one server by its public address."""
    told = lab.client.must(f"curl -sS -m 5 http://{SERVER}/")
    check(told.startswith("dmz port 80"), told)


def test_port_range(lab):
    """A range of mapped ports leads port by port to the host inside, by TCP and UDP."""
    told = lab.internet.must(["sh", "-c", f"nc -N -w 3 {GATEWAY} 7008 </dev/null"])
    check(told.startswith(WEB + ":"), told)
    told = lab.internet.must(["sh", "-c", f"echo who | nc -u -w 1 {GATEWAY} 7008"])
    check(told.startswith(WEB + ":"), told)


def test_map_to_the_gateway(lab):
    """A port map may lead to a service of the gateway itself."""
    lab.apply(
        lab.config().replace(
            "  port_maps:\n",
            "  port_maps:\n    - { name: own, on: wan, "
            f'service: tcp/2222, to: "{GATEWAY}:8022", allow_from: any }}\n',
        )
    )
    with lab.gateway.serve(["sh", "-c", "echo hello | nc -lN 8022"], 8022):
        told = lab.internet.must(f"nc -w 3 -d {GATEWAY} 2222", timeout=8)
    check("hello" in told, told)


def test_one_to_one_protocols(lab):
    """One-to-one translation takes every protocol both ways: GRE, ESP, ICMP, and fragments."""
    lab.apply(
        first_rule(lab.config(), "{ name: all-to-server, in: wan, to: server, action: permit }")
    )
    with lab.sniff("dmz", f"src host {WEB} and dst host 10.9.0.9") as dmz:
        lab.internet.scapy(
            f"""
            for protocol in (47, 50, 51, 132):
                send(IP(src="{WEB}", dst="{SERVER}", proto=protocol) / Raw(b"x" * 40))
            send(fragment(IP(src="{WEB}", dst="{SERVER}", proto=50) / Raw(b"y" * 3000), 1000))
            """
        )
        came = [dmz.count(f"ip proto {protocol}") for protocol in (47, 50, 51, 132)]
    check(came == [1, 4, 1, 1], f"GRE, ESP, AH, SCTP inwards: {came}")
    with lab.sniff("outside", f"src host {SERVER} and dst host {WEB}", "in") as outside:
        lab.dmz.scapy(
            f"""
            for protocol in (47, 50):
                send(IP(src="10.9.0.9", dst="{WEB}", proto=protocol) / Raw(b"x" * 40))
            """
        )
        came = [outside.count(f"ip proto {protocol}") for protocol in (47, 50)]
    check(came == [1, 1], f"GRE, ESP outwards: {came}")


def test_exceptions(lab):
    """An exception above the translating rule leaves some destinations untranslated (F09)."""
    lab.apply(
        lab.config().replace(
            "  source:\n",
            "  source:\n    - { name: corporate, out: wan, " f"to: {SECOND}, action: none }}\n",
        )
    )
    with lab.sniff("outside", "icmp", "in") as outside:
        lab.client.run(f"ping -c 1 -W 1 {SECOND}")
        lab.client.run(f"ping -c 1 -W 1 {WEB}")
        sources = [
            outside.count(f"src host 192.168.1.10 and dst host {SECOND}"),
            outside.count(f"src host {GATEWAY} and dst host {WEB}"),
            outside.count(),
        ]
    check(sources == [1, 1, 2], f"{sources}")


# --- no private address outside (F07)

MIX = """
end=$((SECONDS + {seconds}))
while [ $SECONDS -lt $end ]; do
  curl -s -m 3 -o /dev/null --interface {source} http://{web}/bytes/20000
  curl -s -m 3 -o /dev/null --interface {source} http://{second}/
  ping -q -c 2 -i 0.1 -s 3000 -I {source} {second} >/dev/null
  echo x | nc -u -w 1 -s {source} {web} 9998 >/dev/null 2>&1
  nc -w 1 -s {source} {web} 9 </dev/null >/dev/null 2>&1
  timeout 0.5 nc -s {source} {web} 19 >/dev/null
  traceroute -n -q 1 -w 0.3 -m 4 -s {source} {second} >/dev/null 2>&1
  nc -z -w 1 -s {source} {gateway} 5555 >/dev/null 2>&1
done
true
"""

STRAY = """
import itertools
source, remote = "{source}", "{web}"
quote = IP(src=remote, dst=source) / UDP(sport=53, dport=4444) / b"quoted"
real = IP(src=source, dst=remote) / UDP(sport=4444, dport=53) / b"quoted"
for flags in ("F", "R", "FA", "RA", "A", "PA", ""):
    send(IP(src=source, dst=remote) / TCP(sport=4000, dport=80, flags=flags, seq=7, ack=9))
for kind, code in ((3, 0), (3, 1), (3, 3), (3, 4), (3, 13), (4, 0), (5, 1), (11, 0), (12, 0)):
    for inner in (quote, real):
        send(IP(src=source, dst=remote) / ICMP(type=kind, code=code) / inner)
for kind in (0, 13, 14, 15, 16, 17, 18):
    send(IP(src=source, dst=remote) / ICMP(type=kind, id=5) / b"x" * 1)
send(IP(src=source, dst=remote, frag=100, id=77) / Raw(b"later fragment"))
send(IP(src=source, dst=remote, proto=47) / Raw(b"gre"))
"""

# From outside: what makes inside hosts and the gateway answer with errors that quote packets.
PROVOKE = """
for ttl in (1, 2, 3):
    send(IP(src="{web}", dst="{gateway}", ttl=ttl) / UDP(sport=4000, dport=7003) / b"nobody there")
    send(IP(src="{web}", dst="{gateway}", ttl=ttl) / TCP(sport=4001, dport=5555, flags="S"))
    send(IP(src="{web}", dst="{server}", ttl=ttl) / ICMP())
send(IP(src="{web}", dst="{server}") / TCP(sport=4002, dport=8081, flags="A"))
send(IP(src="{web}", dst="{gateway}") / UDP(sport=53, dport=7001) / b"x" * 1)
"""


def leaks(path):
    """The packets of a capture that hold the address of an inside host anywhere, its quotes and
    payload among it."""
    needles = [bytes(map(int, address.split("."))) for address in INSIDE]
    found = []
    with open(path, "rb") as file:
        data = file.read()
    place = 24
    total = 0
    while place + 16 <= len(data):
        (length,) = struct.unpack_from("<I", data, place + 8)
        frame = data[place + 16 : place + 16 + length]
        total += 1
        found += [frame.hex() for needle in needles if needle in frame[12:]]
        place += 16 + length
    return total, found


def test_nothing_private_outside(lab):
    """Three private networks send a mix of good and stray traffic; no frame that leaves the gateway
    outside holds an inside address, not even within ICMP quotes (F07)."""
    sources = ((lab.client, "192.168.1.10"), (lab.client, "172.16.5.10"), (lab.dmz, "10.9.0.10"))
    names = {
        "web": WEB,
        "second": SECOND,
        "gateway": GATEWAY,
        "server": SERVER,
        "seconds": lab.seconds(10),
    }
    with lab.sniff("outside", direction="in", snaplen=0) as outside:
        mixes = [
            host.start(["bash", "-c", MIX.format(source=source, **names)])
            for host, source in sources
        ]
        for host, source in sources:
            host.scapy(STRAY.format(source=source, **names))
        lab.internet.scapy(PROVOKE.format(**names))
        for mix in mixes:
            mix.wait(lab.seconds(10) + 30)
        errors = outside.count(f"icmp and (icmp[0] = 3 or icmp[0] = 11) and src host {GATEWAY}")
        udp = outside.count("udp")
    total, found = leaks(outside.path)
    check(total > 100 and udp > 3, f"only {total} packets, {udp} UDP, passed at all")
    check(errors > 0, "no ICMP error came out, so nothing was shown about quotes")
    check(not found, f"{len(found)} of {total} frames hold an inside address, e.g. {found[:1]}")


def test_mapping_is_listed(lab):
    """Sessions and mappings in use are shown, with their endpoints."""
    with lab.client.start(f"nc -s 192.168.1.10 -p 40404 {WEB} 19"):
        for what in ("sessions", "mappings"):
            wait_until(
                lambda what=what: lab.lists(what, "192.168.1.10:40404"),
                3,
                f"show {what} does not name it",
            )


def test_arp_for_public_addresses(lab):
    """The gateway answers ARP for its own and its one-to-one addresses, and for no other."""
    told = lab.isp.scapy(
        f"""
        for address in ("{GATEWAY}", "{SERVER}", "203.0.113.77", "192.168.1.10"):
            answer = srp1(Ether(dst="ff:ff:ff:ff:ff:ff") / ARP(pdst=address, psrc="203.0.113.1"),
                          iface="wan0", timeout=1)
            print(address, answer[ARP].hwsrc if answer else "silence")
        """
    )
    answers = dict(re.findall(r"(\S+) (\S+)\n", told))
    mac = GATEWAY_MAC["outside"]
    check(
        answers
        == {GATEWAY: mac, SERVER: mac, "203.0.113.77": "silence", "192.168.1.10": "silence"},
        told,
    )
