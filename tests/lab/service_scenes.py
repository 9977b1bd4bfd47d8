# SPDX-License-Identifier: BSD-3-Clause
"""The scenes of the demo about what the gateway serves: addresses and names."""

import time

from lab import GATEWAY, WEB
from pc import Pc

DNS_SILENT = 9  # what dig ends with when nobody answers


def dhcp_and_names(stage, lab):
    """PCs are plugged in: each gets an address and a name, and finds the others and the world"""
    with Pc(lab, 1) as first, Pc(lab, 2) as second:
        start = time.time()
        stage.tell("pc1$ dhclient eth0   (its host name is pc1)")
        with first.client(first.dhclient()):
            got = first.wait_for(("BOUND", "REBOOT"))
            stage.see(
                "dhclient has an address",
                got["router"] == got["dns"] == "192.168.1.1",
                f"{got['ip']} after {float(got['time']) - start:.1f} s; router and name server "
                f"{got['dns']}, domain {got['domain']}",
            )
            stage.tell("pc2$ udhcpc -i eth0 -R -x hostname:pc2")
            with second.client(second.udhcpc("-R -x hostname:pc2")):
                other = second.wait_for(("bound",))["ip"]
                stage.see("udhcpc has another one", other != got["ip"], other)
                play_names(stage, first, got["dns"], other)
                stage.keep("leases", lab.postern("show", "leases"))
        first.run(first.dhclient("-r"))


def play_names(stage, pc, server, other):
    """What a PC finds out by the name server that it was told."""

    def dig(words):
        told = stage.run(pc, f"dig @{server} +short +tries=2 +time=2 {words}").out
        return told.strip()

    stage.see("it finds the other one by its name", dig("pc2.office.example") == other, other)
    name = dig(f"-x {other}")
    stage.see("and the name by the address", name == "pc2.office.example.", name)
    ping = stage.run(pc, f"ping -c 2 -i 0.2 {other}")
    stage.see("it answers there", " 0% packet loss" in ping.out, "2 of 2 echo replies")
    stage.see("it resolves a name outside", dig("web.example") == WEB, WEB)
    stage.see("a name that nobody has stays here", dig("pc9.office.example") == "", "no address")


def services_outside(stage, lab):
    """from outside neither DHCP nor DNS answers"""
    inside = stage.run(lab.client, "dig @192.168.1.1 +short server.office.example")
    stage.see("inside a name is told", inside.out.strip() == "10.9.0.9", inside.out.strip())
    with lab.sniff("outside", "udp src port 53 or tcp src port 53 or udp src port 67") as outside:
        for host, way in ((lab.isp, "+notcp"), (lab.isp, "+tcp"), (lab.internet, "+notcp")):
            asked = stage.run(
                host, f"dig @{GATEWAY} {way} +tries=1 +time=1 server.office.example"
            )
            stage.see(
                f"{host.name} gets no answer by {'TCP' if way == '+tcp' else 'UDP'}",
                asked.status == DNS_SILENT,
                f"nothing for {asked.seconds:.1f} s",
            )
        lease = stage.run(lab.isp, "udhcpc -n -q -f -i wan0 -s /bin/true -t 2 -T 1")
        stage.see("udhcpc outside gets no lease", not lease.ok, "no lease, failing")
        said = outside.count(f"src host {GATEWAY}")
        stage.see("the gateway said nothing", said == 0, f"outside wire: {said} packets of its")
