# SPDX-License-Identifier: BSD-3-Clause
"""Ordinary traffic through NAT: it arrives, whole and both ways."""

import json
import re

from lab import GATEWAY, ROUTER, WEB, check


def transfer(lab, *options):
    """One iperf3 run from the client to the web host; its result."""
    command = ["iperf3", "-c", WEB, "-J", "-t", str(lab.seconds(6)), *options]
    with lab.internet.serve("iperf3 -s", 5201):
        told = lab.client.must(command, timeout=lab.seconds(6) + 30)
    result = json.loads(told)
    check("error" not in result, result.get("error"))
    return result["end"]


def check_tcp(end):
    received = end["sum_received"]["bytes"]
    check(received > 10_000_000, f"only {received} bytes arrived")


def check_udp(lab, *options):
    """Three tries, since a machine with other work may starve the gateway for a while."""
    for _ in range(3):
        end = transfer(lab, "-u", "-b", "5M", "-l", "1400", *options)
        check(end["sum"]["packets"] > 1000, "hardly any packet was sent")
        if end["sum"]["lost_percent"] < 1:
            return
    check(False, f"{end['sum']['lost_percent']:.2f} % lost")


def test_tcp_out(lab):
    """iperf3 sends by TCP from a client to a host outside."""
    check_tcp(transfer(lab))


def test_tcp_in(lab):
    """iperf3 sends by TCP from a host outside to the client that asked for it."""
    check_tcp(transfer(lab, "-R"))


def test_udp_out(lab):
    """iperf3 sends by UDP to a host outside, and less than 1 % is lost."""
    check_udp(lab)


def test_udp_in(lab):
    """iperf3 sends by UDP from a host outside, and less than 1 % is lost."""
    check_udp(lab, "-R")


def test_large_udp(lab):
    """Datagrams of 4 kB cross in fragments and come back whole."""
    told = lab.client.python(
        f"""
        import os, socket
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(3)
        for size in (4000, 1473, 9000, 30000):
            data = os.urandom(size)
            s.sendto(data, ("{WEB}", 7))
            print(size, s.recv(65536) == data)
        """
    )
    check(told.count("True") == 4, told)


def test_large_ping(lab):
    """ping -s 8000 gets its answers, in fragments both ways."""
    told = lab.client.must(f"ping -c 5 -i 0.2 -s 8000 {WEB}")
    check("5 received" in told, told)


def test_traceroute(lab):
    """traceroute shows the gateway, the provider's router and the host; by UDP, ICMP and TCP."""
    for how in ("", "-I", "-T -p 80"):
        told = lab.client.must(f"traceroute -n -q 1 -w 2 -m 6 {how} {WEB}")
        hops = re.findall(r"^ *\d+  (\S+)", told, re.MULTILINE)
        check(hops == ["192.168.1.1", ROUTER, WEB], f"traceroute {how}: {hops}")


def test_traceroute_inwards(lab):
    """traceroute from outside to a mapped port shows the gateway and then the server's mapping."""
    told = lab.internet.must(f"traceroute -n -q 1 -w 2 -m 6 -T -p 5555 {GATEWAY}")
    hops = re.findall(r"^ *\d+  (\S+)", told, re.MULTILINE)
    check(hops == ["198.51.100.1", GATEWAY, GATEWAY], f"{hops}")


def test_path_mtu(lab):
    """Over a path of 1400 bytes ICMP tells the client, TCP goes both ways and 4 kB UDP arrives."""
    ends = ((lab.isp, "net0"), (lab.internet, "eth0"))
    try:
        for host, device in ends:
            host.must(f"ip link set {device} mtu 1400")
        ping = lab.client.run(f"ping -c 2 -i 0.2 -M do -s 1450 {WEB}")
        check(ROUTER in ping.out and "mtu = 1400" in ping.out, ping.out)
        size = 300_000
        told = lab.client.python(
            f"""
            import socket
            s = socket.create_connection(("{WEB}", 7), 5)
            s.sendall(b"x" * {size})
            s.shutdown(socket.SHUT_WR)
            print(sum(len(data) for data in iter(lambda: s.recv(65536), b"")))
            """
        )
        check(told.strip() == str(size), f"echo of {size} bytes over TCP: {told}")
        test_large_udp(lab)
    finally:
        for host, device in ends:
            host.must(f"ip link set {device} mtu 1500")
        lab.client.must("ip route flush cache")


def test_small_link_of_ours(lab):
    """Where the gateway's own link is smaller, it says so itself and clamps TCP."""
    wan = "    address: 203.0.113.2/24\n"
    try:
        lab.restart_with(lab.config().replace(wan, wan + "    mtu: 1280\n"))
        ping = lab.client.run(f"ping -c 2 -i 0.2 -M do -s 1400 {WEB}")
        check("192.168.1.1" in ping.out and "mtu = 1280" in ping.out, ping.out)
        with lab.sniff("outside", "tcp[tcpflags] & tcp-syn != 0") as outside:
            lab.client.must(f"curl -sS -m 10 -o /dev/null http://{WEB}/bytes/100000")
            syns = " ".join(outside.packets(f"src host {GATEWAY}"))
        check("mss 1240" in syns, f"the SYN outside: {syns}")
    finally:
        lab.client.must("ip route flush cache")
        lab.restart_with(lab.config())


def test_two_workers(lab):
    """With two workers, which hand packets to each other, all of this works as well."""
    workers = "system:\n  workers: { count: 2 }\n"
    try:
        lab.restart_with(lab.config().replace("system:\n", workers))
        check(len(lab.ask("status")["workers"]) == 2, "there are not two workers")
        for port in range(41000, 41020):  # sessions of both workers
            page = lab.client.must(f"curl -sS -m 5 --local-port {port} http://{WEB}/bytes/50000")
            check(len(page) == 50000, f"{len(page)} bytes")
        page = lab.client.must(f"curl -sS -m 5 http://{GATEWAY}:5555/")
        check(page.startswith("dmz port 44333"), page)
        page = lab.internet.must(f"curl -sS -m 5 http://{GATEWAY}:5555/")
        check(page.startswith("dmz port 44333"), page)
        for test in (test_large_udp, test_large_ping, test_traceroute, test_port_refused_outside):
            test(lab)
    finally:
        lab.restart_with(lab.config())


def test_names(lab):
    """Names are resolved through the gateway, by UDP and by TCP."""
    for how in ("+notcp", "+tcp"):
        told = lab.client.must(f"dig +short +time=2 {how} web.example")
        check(told.strip() == WEB, f"dig {how}: {told}")


def test_port_refused_outside(lab):
    """A closed UDP port outside is told to the client by an ICMP error that fits its socket."""
    told = lab.client.python(
        f"""
        import socket
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(3)
        s.connect(("{WEB}", 9999))
        s.send(b"anybody there?")
        try:
            s.recv(100)
        except ConnectionRefusedError:
            print("refused")
        """
    )
    check(told.strip() == "refused", told)
