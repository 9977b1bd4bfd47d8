# SPDX-License-Identifier: BSD-3-Clause
"""The gateway's own DHCP client: address, ways out and name servers from a provider's server."""

import contextlib
import json
import os
import re
import signal

from lab import HERE, WEB, check, wait_until

FIRST, SECOND = "203.0.113.77", "203.0.113.78"
ROUTER = "203.0.113.1"
DNS = """
services:
  dns: { domain: office.example }
"""


def config(lab):
    """The lab's, with nothing said about the world outside."""
    text = lab.plain_config().replace("address: 203.0.113.2/24", "address: dhcp")
    return text.replace("routes:\n  - { to: default, via: 203.0.113.1 }\n", "") + DNS


def wan(lab):
    rows = lab.ask("show", "interfaces")["interfaces"]
    return next(row for row in rows if row["name"] == "wan")


def addresses(lab):
    return wan(lab)["addresses"]


def has(lab, address, seconds=15):
    wait_until(
        lambda: addresses(lab) == [address + "/24"],
        seconds,
        f"no {address} but {wan(lab)['addresses']}, {wan(lab)['dhcp']}",
    )


def gets_out(lab):
    return lab.client.run(f"ping -c 1 -W 1 {WEB}").ok


def resolves(lab):
    told = lab.client.run("dig +time=1 +tries=1 +short @192.168.1.1 www.example.net").out
    return WEB in told


class Provider:
    """A server on the provider's side whose answers a test decides."""

    def __init__(self, lab, **what):
        self.path = lab.scratch("provider.json")
        self.what = {"address": FIRST, "lease_s": 3600, "dns": ROUTER}
        self.says(**what)
        self.running = lab.isp.serve(
            ["/usr/bin/python3", HERE + "/dhcp_upstream.py", "wan0", self.path], 67, "udp"
        )
        self.names = lab.isp.serve(
            ["/usr/bin/python3", HERE + "/dns_upstream.py", ROUTER, "53"], 53, "udp"
        )

    def says(self, **what):
        self.what.update(what)
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.what, file)
        os.rename(self.path + ".new", self.path)

    def heard(self):
        return self.running.out().splitlines()

    def count(self, pattern):
        return sum(1 for line in self.heard() if re.match(pattern, line))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.running.stop()
        self.names.stop()


def log_text(lab, name):
    with contextlib.suppress(FileNotFoundError):
        with open(f"{lab.directory}/state/log/{name}.log", encoding="utf-8") as file:
            return file.read()
    return ""


def error_log(lab):
    return log_text(lab, "error")


def dial_log(lab):
    return log_text(lab, "dial")


def test_address_by_dnsmasq(lab):
    """dnsmasq gives address, route and name server; clients inside get out translated, and the
    lease is renewed with its server alone (F06, RFC2131-4.4.5)."""
    log = lab.scratch("dnsmasq.leases")
    names = lab.isp.serve(["/usr/bin/python3", HERE + "/dns_upstream.py", ROUTER, "53"], 53, "udp")
    server = lab.isp.serve(
        f"dnsmasq -k --port=0 --conf-file=/dev/null --interface=wan0 --bind-interfaces --no-ping "
        f"--log-dhcp --log-facility=- --dhcp-authoritative --user=root --pid-file= "
        f"--dhcp-leasefile={log} --dhcp-range={FIRST},{FIRST},255.255.255.0,2m "
        f"--dhcp-option=3,{ROUTER} --dhcp-option=6,{ROUTER} --dhcp-option=option:T1,12",
        67,
        "udp",
    )
    with names, server:
        lab.apply(config(lab))
        has(lab, FIRST)
        wait_until(lambda: gets_out(lab), 5, "clients do not get out")
        check(resolves(lab), "names are not resolved by the server of the lease")
        check(lab.lists("sessions", FIRST), "no session by the address")
        shown = lab.postern("show", "interfaces")
        check("(dhcp until" in shown, shown)
        check(wan(lab)["dhcp"]["server"] == ROUTER, str(wan(lab)["dhcp"]))
        discovers = server.out().count("DHCPDISCOVER")
        before = server.out().count("DHCPACK")
        wait_until(lambda: server.out().count("DHCPACK") > before, 20, "the lease is not renewed")
        lab.postern("dhcp", "renew", "wan")
        wait_until(lambda: server.out().count("DHCPACK") > before + 1, 3, "not by hand")
        check(server.out().count("DHCPDISCOVER") == discovers, "the lease was lost meanwhile")


def test_lease_ends(lab):
    """With its server gone a lease is renewed, rebound and given up; then nothing crosses and its
    name servers are forgotten, until a server is back (F26, RFC2131-4.4.5)."""
    with Provider(lab, lease_s=24) as provider:
        lab.apply(config(lab))
        has(lab, FIRST)
        wait_until(lambda: gets_out(lab) and resolves(lab), 5, "clients do not get out")
        wait_until(lambda: provider.count("REQUEST .* unicast ACK") > 0, 18, "not renewed")
        provider.says(silent=True)
        wait_until(lambda: provider.count("REQUEST .* unicast -") > 0, 20, "no renewal")
        wait_until(lambda: provider.count("REQUEST .* broadcast -") > 0, 20, "no rebinding")
        check(gets_out(lab), "the address does not hold until its end")
        wait_until(lambda: addresses(lab) == [], 10, f"still {addresses(lab)}")
        with lab.sniff("outside", "icmp or udp port 53", "in") as wire:
            check(not gets_out(lab) and not resolves(lab), "clients get out without an address")
            lab.isp.run(f"ping -c 1 -W 1 {FIRST}")
            check(wire.count() == 0, f"{wire.packets()[:3]} left the gateway")
        check("dhcp: " in lab.postern("show", "interfaces"), "the state is not shown")
        check("its time is over" in dial_log(lab), "the end is not told")
        provider.says(silent=False)
        has(lab, FIRST, 70)
        wait_until(lambda: gets_out(lab) and resolves(lab), 5, "clients do not get out again")


def test_address_changes(lab):
    """When the server takes an address back, its sessions end with a reason, new ones and port
    maps use the next one at once (F06, F10, C02)."""
    with Provider(lab, lease_s=24) as provider:
        lab.apply(config(lab))
        has(lab, FIRST)
        wait_until(lambda: gets_out(lab), 5, "clients do not get out")
        tick = lab.client.start(f"ping -i 0.3 {WEB}")
        wait_until(lambda: lab.lists("sessions", FIRST), 5, "no session by the first address")
        provider.says(address=SECOND)
        has(lab, SECOND, 20)
        wait_until(lambda: not lab.lists("sessions", FIRST), 3, "sessions of the old address live")
        wait_until(
            lambda: any("session_ended" in line and WEB in line for line in lab.security_log()),
            3,
            "no reason is told for the end of its sessions",
        )
        check('cause="the server refuses it' in dial_log(lab), dial_log(lab)[-300:])
        wait_until(lambda: gets_out(lab), 5, "clients do not get out by the next address")
        check(lab.lists("sessions", SECOND), "no session by the next address")
        tick.stop()
        said = lab.internet.run(f"curl -s -m 3 http://{SECOND}:5555/who").out
        check(said, "the port map does not follow the address")
        said = lab.internet.run(f"curl -s -m 2 http://{FIRST}:5555/who")
        check(not said.ok, "the old address still answers")


def test_restart_keeps_the_address(lab):
    """After a restart the address of before is asked for; where no server answers, it is used until
    its lease ends (RFC2131-3.2)."""
    with Provider(lab) as provider:
        lab.restart_with(config(lab))
        has(lab, FIRST)
        discovers = provider.count("DISCOVER")
        lab.signal(signal.SIGKILL)
        wait_until(lambda: lab.pid() is None, 5, "posternd lives on")
        lab.restart_with(config(lab))
        has(lab, FIRST)
        check(provider.count("DISCOVER") == discovers, "the address is looked for from the start")
        provider.says(silent=True)
        lab.restart_with(config(lab))
        has(lab, FIRST, 50)
        wait_until(lambda: gets_out(lab), 5, "clients do not get out")
        check(provider.count("DISCOVER") == discovers, "the address is looked for from the start")
        check("no server answers" in error_log(lab), "this is not told")
        provider.says(silent=False)
        lab.postern("dhcp", "release", "wan")
        wait_until(lambda: provider.count("RELEASE") > 0, 3, "it is not given back")
        wait_until(lambda: addresses(lab) == [], 3, "it is still used")


def test_bad_leases_are_refused(lab):
    """What is ours already, makes no sense, or is somebody's is not taken, and the log says why
    (RFC2131-4.4.1)."""
    with Provider(lab, address="192.168.1.77") as provider:
        lab.apply(config(lab))
        wait_until(lambda: "overlaps 192.168.1.0/24" in error_log(lab), 15, error_log(lab)[-300:])
        provider.says(address=FIRST, lease_s=0)
        wait_until(lambda: provider.count("DISCOVER") > 1, 10, "no further question")
        provider.says(lease_s=3600, mask="255.0.255.0")
        wait_until(lambda: provider.count("DISCOVER") > 2, 15, "no further question")
        check(provider.count("REQUEST .* ACK") == 0, f"a bad offer was taken: {provider.heard()}")
        check(addresses(lab) == [], str(addresses(lab)))
        lab.isp.must(f"ip address add {FIRST}/32 dev wan0")  # a squatter
        try:
            # 192.168.1.128/25, which is in the office, and the default route.
            routes = "19c0a80180" + "cb007101" + "00" + "cb007101"
            provider.says(mask="255.255.255.0", options={"121": routes})
            lab.postern("dhcp", "renew", "wan")
            wait_until(lambda: provider.count("DECLINE") > 0, 10, "a squatter's address is taken")
            check(addresses(lab) == [], str(addresses(lab)))
        finally:
            lab.isp.must(f"ip address del {FIRST}/32 dev wan0")
        has(lab, FIRST, 30)
        told = [row["to"] for row in lab.ask("show", "routes")["routes"]]
        check("192.168.1.128/25" not in told, f"a route into the office: {told}")
        check("0.0.0.0/0" in told, f"no way out: {told}")
