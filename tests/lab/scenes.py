# SPDX-License-Identifier: BSD-3-Clause
"""The scenes of the demo. Each plays real traffic between real programs and takes its evidence from
sniffers at the gateway's wires, from what the programs say, or from the security log.

A scene is a function of (stage, lab); its docstring is what it shows. The order here is the order
in which they play.
"""

import re
import signal
import time

import service_scenes
from lab import GATEWAY, PRIVATE, SECOND, SERVER, WEB, first_rule, wait_until

SCENES = {}


def scene(name):
    def add(function):
        SCENES[name] = function
        return function

    return add


@scene("nat")
def nat(stage, lab):
    """a client gets out, hidden behind the gateway's address"""
    with lab.sniff("outside") as outside:
        page = stage.run(lab.client, "curl -sS -m 10 http://web.example/")
        stage.see("the client resolves a name and gets a page", page.ok, page.out.strip())
        stage.see(
            "the server sees the gateway's address", f"you are {GATEWAY}:" in page.out, GATEWAY
        )
        other = stage.run(lab.client, f"curl -sS -m 10 --interface 172.16.5.10 http://{WEB}/")
        stage.see(
            "so does a client of the other office network",
            f"you are {GATEWAY}:" in other.out,
            "172.16.5.10",
        )
        ping = stage.run(lab.client, f"ping -c 3 -i 0.2 {WEB}")
        stage.see("ping gets its answers", " 0% packet loss" in ping.out, "3 of 3 echo replies")
        crossed = outside.count(f"src host {GATEWAY}")
        private = outside.count(PRIVATE)
    stage.see(
        "no private address outside",
        crossed > 0 and private == 0,
        f"outside wire: {crossed} packets from {GATEWAY}, {private} with a private address",
    )


scene("dhcp")(service_scenes.dhcp_and_names)
scene("services")(service_scenes.services_outside)


@scene("port-map")
def port_map(stage, lab):
    """a server inside is reached by a port of the gateway, for whom it may be"""
    with lab.sniff("dmz", "tcp") as dmz, lab.sniff("inside", "tcp") as inside:
        page = stage.run(lab.internet, f"curl -sS -m 10 http://{GATEWAY}:5555/")
        stage.see(
            "port 5555 outside is 44333 of the server",
            page.out.startswith("dmz port 44333"),
            page.out.strip(),
        )
        stage.see(
            "the server sees the true client",
            f"you are {WEB}:" in page.out,
            f"DMZ wire: {dmz.count(f'src host {WEB} and dst port 44333')} packets from {WEB}",
        )
        friend = stage.run(lab.internet, f"curl -sS -m 5 http://{GATEWAY}:8080/")
        stage.see(
            "a map for friends serves a friend", friend.out.startswith("client2 port 8080"), WEB
        )
        stranger = stage.run(
            lab.internet, f"curl -sS -m 2 --interface {SECOND} http://{GATEWAY}:8080/"
        )
        leaked = inside.count(f"host {SECOND}")
        stage.see(
            "and nobody else",
            not stranger.ok and leaked == 0,
            f"{SECOND}: no answer; inside wire: {leaked} of its packets",
        )
        other = stage.run(lab.internet, f"nc -vz -w 2 {GATEWAY} 22")
        stage.see(
            "a port without a map is silent",
            not other.ok and other.seconds > 1.5,
            f"port 22: nothing for {other.seconds:.1f} s",
        )


@scene("one-to-one")
def one_to_one(stage, lab):
    """a server has a public address of its own, both ways, and the filter still holds"""
    with lab.sniff("outside", f"arp and host {SERVER}") as outside:
        ping = stage.run(lab.internet, f"ping -c 3 -i 0.2 {SERVER}")
        answers = outside.count("arp[6:2] = 2")
        stage.see("ping reaches the server", " 0% packet loss" in ping.out, "3 of 3 echo replies")
        stage.see(
            "the gateway answers ARP for the address",
            answers > 0 or arp_known(lab),
            f"outside wire: {SERVER} is at the gateway's hardware address",
        )
    page = stage.run(lab.internet, f"curl -sS -m 10 http://{SERVER}/")
    stage.see("the web reaches the server", page.out.startswith("dmz port 80"), page.out.strip())
    out = stage.run(lab.dmz, f"curl -sS -m 10 --interface 10.9.0.9 http://{WEB}/")
    stage.see(
        "the server leaves by the same address", f"you are {SERVER}:" in out.out, out.out.strip()
    )
    with lab.sniff("dmz", "port 7") as dmz:
        echo = stage.run(lab.internet, f"nc -vz -w 2 {SERVER} 7")
        stage.see(
            "what no rule permits stays out",
            not echo.ok and dmz.count() == 0,
            f"port 7: DMZ wire: {dmz.count()} packets",
        )


def arp_known(lab):
    return "02:" in lab.isp.run(f"ip neighbor show {SERVER}").out


@scene("deny")
def deny(stage, lab):
    """what a rule denies is refused at once, with the right answer"""
    with lab.sniff("inside") as inside, lab.sniff("outside") as outside:
        tcp = stage.run(lab.client, f"nc -vz -w 5 {WEB} 23")
        stage.see(
            "TCP is refused at once",
            "refused" in tcp.out and tcp.seconds < 1,
            f"after {tcp.seconds * 1000:.0f} ms",
        )
        for _ in range(20):  # the watcher of the wire may be late
            resets = inside.packets("tcp[tcpflags] = tcp-rst|tcp-ack and src port 23")
            if resets:
                break
            time.sleep(0.1)
        number = re.search(r"seq (\d+)", "".join(inside.packets("tcp[tcpflags] = tcp-syn")))
        right = number and any(f"ack {int(number[1]) + 1}" in reset for reset in resets)
        stage.see("by RST that acknowledges the SYN", right, f"inside wire: {len(resets)} RST/ACK")
        stage.run(lab.client, f"sh -c 'echo hello | nc -u -w 1 {WEB} 27015'")
        answers = inside.count("icmp[icmptype] = 3 and icmp[icmpcode] = 13")
        stage.see(
            "UDP by ICMP administratively prohibited",
            answers > 0,
            f"inside wire: {answers} ICMP type 3 code 13",
        )
        crossed = outside.count("port 23 or port 27015")
        stage.see("nothing crossed", crossed == 0, f"outside wire: {crossed} packets")
    see_logged(stage, lab, "the rule no-telnet", 'rule="no-telnet"')


@scene("drop")
def drop(stage, lab):
    """what a rule drops is gone without a word, and logged"""
    with lab.sniff("inside", "port 31337 or icmp") as inside, lab.sniff(
        "outside", "port 31337"
    ) as outside:
        tcp = stage.run(lab.client, f"nc -vz -w 2 {WEB} 31337")
        stage.see(
            "the client waits in vain", not tcp.ok and tcp.seconds > 1.5, f"{tcp.seconds:.1f} s"
        )
        stage.run(lab.client, f"sh -c 'echo hello | nc -u -w 1 {WEB} 31337'")
        sent = inside.count("src host 192.168.1.10 and dst port 31337")
        answers = inside.count() - sent
        stage.see(
            "no answer of any kind",
            sent > 0 and answers == 0,
            f"inside wire: {sent} sent, {answers} answers",
        )
        stage.see(
            "nothing crossed", outside.count() == 0, f"outside wire: {outside.count()} packets"
        )
    see_logged(stage, lab, "the rule no-trojan", 'rule="no-trojan"')


def see_logged(stage, lab, what, words):
    """The logging thread writes a moment later than the packet passes."""
    end = time.monotonic() + 3
    lines = []
    while not lines and time.monotonic() < end:
        time.sleep(0.1)
        lines = [line for line in lab.security_log() if words in line]
    stage.see(f"the security log names {what}", lines, f"lines with {words}: {len(lines)}")


def ticks(running):
    return [int(number) for number in re.findall(r"tick (\d+)", running.out())]


@scene("reload")
def reload(stage, lab):
    """a new policy ends just the session that it forbids; the other goes on without a gap"""
    stage.tell(
        f"client$ nc {WEB} 19 &   and   client$ nc {SECOND} 19 &   (ten lines a second each)"
    )
    with lab.client.start(f"nc {WEB} 19") as stays, lab.client.start(f"nc {SECOND} 19") as ends:
        wait_until(lambda: len(ticks(stays)) > 5 and len(ticks(ends)) > 5, 10, "no session came up")
        forbidding = first_rule(
            lab.config(), f"{{ name: forbidden, in: lan, to: {SECOND}, action: deny, log: true }}"
        )
        with lab.sniff(
            "inside", f"src host {SECOND} and tcp[tcpflags] & tcp-push != 0", "in"
        ) as inside:
            lab.apply(forbidding)
            applied = time.time()
            stage.tell(f"postern apply: a rule at the top denies the office {SECOND}")
            count = len(ticks(stays))
            time.sleep(2.5)
            late = inside.count(since=applied + 1)
        on = ticks(stays)
        stage.see(
            "the forbidden session ends within a second",
            late == 0,
            f"inside wire: {late} of its packets after 1 s",
        )
        stage.see(
            "the other goes on",
            len(on) >= count + 15 and on == list(range(len(on))),
            f"{len(on) - count} lines in 2.5 s, none missing",
        )
    see_logged(stage, lab, "the end of the session", "reason=session_ended")
    stage.keep("sessions", lab.postern("show", "sessions"))
    stage.keep("rules", lab.postern("show", "rules"))
    stage.keep("drops", lab.postern("show", "drops"))
    lab.apply(lab.config())
    again = stage.run(lab.client, f"curl -sS -m 10 http://{SECOND}/")
    stage.see("with the old policy it is reached again", again.ok, again.out.strip())


@scene("fail-closed")
def fail_closed(stage, lab):
    """posternd is stopped, then killed, under load: nothing crosses"""
    with lab.internet.serve("iperf3 -s", 5201), lab.client.start(
        f"iperf3 -c {WEB} -t 60 --bidir -b 20M --forceflush"
    ) as load:
        wait_until(lambda: "sec" in load.out(), 10, f"iperf3 does not start: {load.out()}")
        stage.tell(f"client$ iperf3 -c {WEB} --bidir -b 20M &")
        before = watch_gateway(lab, 1)
        stage.see("traffic crosses both ways", min(before) > 100, counted(before))
        lab.signal(signal.SIGSTOP)
        stage.tell("kill -STOP posternd")
        during = watch_gateway(lab, 2)
        stage.see("stopped: nothing crosses", during == (0, 0), counted(during))
        lab.signal(signal.SIGCONT)
        stage.tell("kill -CONT posternd")
        wait_until(lambda: min(watch_gateway(lab, 0.5)) > 10, 10, "traffic does not resume")
        stage.see("continued: traffic resumes", True, "both ways")
        lab.signal(signal.SIGKILL)
        stage.tell("kill -KILL posternd")
        after = watch_gateway(lab, 3)
        stage.see("killed: nothing crosses", after == (0, 0), counted(after))
    lab.restart()
    stage.tell("postern lab restart")
    ping = stage.run(lab.client, f"ping -c 3 -i 0.2 {WEB}")
    stage.see(
        "started again: the client gets out", " 0% packet loss" in ping.out, "3 of 3 echo replies"
    )


def watch_gateway(lab, seconds):
    """How many frames come out of the gateway outside and inside in so many seconds from now."""
    with lab.sniff("outside", direction="in", snaplen=64) as outside, lab.sniff(
        "inside", direction="in", snaplen=64
    ) as inside:
        start = time.time()
        time.sleep(seconds)
        return outside.count(since=start), inside.count(since=start)


def counted(pair):
    return f"outside wire: {pair[0]} packets, inside wire: {pair[1]}"
