# SPDX-License-Identifier: BSD-3-Clause
"""The gateway itself: its own traffic, its start and end, its reloads."""

import glob
import os
import pathlib
import re
import signal
import subprocess
import time

from lab import GATEWAY, HERE, POSTERN, SECOND, WEB, Lab, check, first_rule, wait_until


def test_reaches_out(lab):
    """The gateway itself pings, resolves names and fetches pages (F37)."""
    check(" 0% packet loss" in lab.gateway.must(f"ping -c 3 -i 0.2 {WEB}"), "ping outside")
    check(" 0% packet loss" in lab.gateway.must("ping -c 3 -i 0.2 192.168.1.10"), "ping inside")
    check(lab.gateway.must("dig +short +time=2 web.example").strip() == WEB, "no name is resolved")
    page = lab.gateway.must("curl -sS -m 5 http://web.example/")
    check(f"you are {GATEWAY}:" in page, page)
    size = lab.gateway.must(["sh", "-c", f"curl -sS -m 10 http://{WEB}/bytes/500000 | wc -c"])
    check(size.strip() == "500000", f"{size} bytes of 500000")


def test_is_reached_under_the_filter(lab):
    """A server on the gateway is reached as the rules say: port 22 from the office alone."""
    for host, source, passes in (
        (lab.client, "192.168.1.10", True),
        (lab.dmz, "10.9.0.10", False),
        (lab.internet, WEB, False),
    ):
        to = GATEWAY if host.name == "internet" else "192.168.1.1" if passes else "10.9.0.1"
        with lab.gateway.serve(["sh", "-c", "echo hello | nc -lN 22"], 22):
            told = host.run(f"nc -d -w 2 -s {source} {to} 22", timeout=6)
        check(("hello" in told.out) == passes, f"{host.name} to {to}: {told.out or 'silence'}")
    check(
        " 0% packet loss" in lab.client.must("ping -c 2 -i 0.2 192.168.1.1"), "ping to the gateway"
    )


def test_no_forwarding_by_the_kernel(lab):
    """The kernel of the gateway forwards nothing, and its devices have no addresses meanwhile."""
    check(lab.gateway.must("cat /proc/sys/net/ipv4/ip_forward").strip() == "0", "ip_forward is on")
    for device in ("wan0", "lan0", "dmz0"):
        told = lab.gateway.must(f"ip -4 -o address show dev {device}")
        check(not told.strip(), f"{device} has addresses: {told}")


def test_end_gives_back(lab):
    """SIGTERM ends posternd with status 0 within seconds; then nothing crosses, and the kernel has
    its addresses back."""
    lab.signal(signal.SIGTERM)
    wait_until(lambda: lab.pid() is None, 8, "posternd does not end")
    lab.gateway.must("ip address add 203.0.113.200/24 dev wan0")
    try:
        lab.restart()
        told = lab.gateway.must("ip -4 -o address show dev wan0")
        check("203.0.113.200" not in told, f"the kernel keeps it: {told}")
        lab.signal(signal.SIGTERM)
        wait_until(lambda: lab.pid() is None, 8, "posternd does not end")
        told = lab.gateway.must("ip -4 -o address show dev wan0")
        check("203.0.113.200/24" in told, f"not given back: {told}")
        check(
            not lab.client.run(f"ping -c 2 -i 0.2 -W 1 {WEB}").ok, "ping crosses without posternd"
        )
    finally:
        lab.gateway.run("ip address flush dev wan0")


def test_nothing_before_the_policy(lab):
    """From start until it is ready no frame leaves the gateway, whatever knocks (F01)."""
    lab.signal(signal.SIGKILL)
    wait_until(lambda: lab.pid() is None, 5, "posternd lives on")
    with lab.client.start(f"ping -i 0.01 {WEB}"), lab.isp.start(
        f"ping -i 0.01 {GATEWAY}"
    ), lab.internet.start(f"hping3 -q -S -p 5555 -i u5000 {GATEWAY}"), lab.sniff(
        "outside", direction="in"
    ) as outside, lab.sniff(
        "inside", direction="in"
    ) as inside:
        time.sleep(0.5)
        lab.restart()
        wait_until(lambda: outside.count("icmp") and inside.count("icmp"), 8, "nothing crosses")
        frames = outside.packets() + inside.packets()
    live = live_time(lab)
    check(live, "the error log does not say when the policy is live")
    first = min(float(frame.split(" ", 1)[0]) for frame in frames)
    check(first >= live - 0.002, f"a frame left {live - first:.3f} s before the policy was live")


def live_time(lab):
    """When posternd said last that its policy is live, seconds since the epoch; None: never."""
    lines = []
    for path in glob.glob(lab.directory + "/state/log/error.log"):
        with open(path, encoding="utf-8") as file:
            lines = [line for line in file if "ruleset live" in line]
    if not lines:
        return None
    stamp = re.search(r"^\S+ [\d:.]+[+-]\d\d:\d\d", lines[-1])
    told = subprocess.run(
        ["date", "-d", stamp[0], "+%s.%N"], capture_output=True, text=True, check=True
    )
    return float(told.stdout)


def generation(lab):
    return lab.ask("status")["configuration"]["generation"]


def is_bad(path):
    """Whether the file earns errors; some earn warnings only."""
    with open(path.replace(".yaml", ".expect"), encoding="utf-8") as file:
        return ": error: " in file.read()


def test_bad_reload_changes_nothing(lab):
    """Malformed configurations are refused, by apply and by SIGHUP, with the place of each error;
    what runs goes on (C03)."""
    bad = [path for path in glob.glob(HERE + "/../golden/config/*.yaml") if is_bad(path)]
    check(len(bad) >= 50, f"there are only {len(bad)} bad configurations")
    before = generation(lab)
    with lab.client.start(f"ping -q -i 0.05 -c 80 -W 5 {WEB}") as ping:
        for path in bad:
            words = [POSTERN, "--run-dir", lab.directory + "/run", "apply", path]
            done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
            said = done.stdout + done.stderr
            check(done.returncode != 0, f"{path} was taken")
            check(re.search(r":\d+:\d+: error: ", said), f"{path}: no place: {said}")
        config = lab.directory + "/gateway.yaml"
        with open(config, "a", encoding="utf-8") as file:
            file.write("\nnonsense: true\n")
        lab.signal(signal.SIGHUP)
        time.sleep(0.5)
        told = ping.wait(60).out
    lab.write_config(lab.config())
    check(generation(lab) == before, "another policy runs now")
    check(" 0% packet loss" in told, told)


def test_exit_codes_of_wrong_arguments(lab):
    """What is no address, name or lease is a failure, not an invalid configuration."""
    scope = "{ interface: lan, subnet: 192.168.1.0/24, range: 192.168.1.100-192.168.1.199 }"
    services = f"{{ dns: {{ domain: office.example }}, dhcp: {{ scopes: [ {scope} ] }} }}"
    lab.apply(lab.plain_config() + f"services: {services}\n")
    for words in (
        "lease release printer",
        "lease reserve 192.168.1.256",
        "lease reserve 192.168.1.100",
        f"lease import {lab.directory}/gateway.yaml",
        "dns flush --below a..b",
        "show sessions --host printer",
    ):
        argv = [POSTERN, "--run-dir", lab.directory + "/run", *words.split()]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        check(done.returncode == 1, f"{words}: status {done.returncode}: {done.stderr}")


def test_reload_under_load(lab):
    """A hundred reloads lose no packet and let no forbidden one pass (P15)."""
    texts = [
        lab.config(),
        first_rule(lab.config(), "{ name: other, in: lan, service: udp/1, action: drop }"),
    ]
    paths = [lab.scratch("reload.yaml") for _ in texts]
    for path, text in zip(paths, texts):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    with lab.client.start(f"hping3 -q --udp -p 31337 -i u2000 {WEB}"), lab.sniff(
        "outside", "port 31337", "in"
    ) as outside, lab.client.start(
        f"ping -q -i 0.005 -c 1600 -W 5 {WEB}"
    ) as ping, lab.client.start(
        f"nc {WEB} 19"
    ) as ticks:
        for number in range(100):
            if number % 4 == 3:
                lab.signal(signal.SIGHUP)
                time.sleep(0.02)
            else:
                lab.postern("apply", paths[number % 2])
        told = ping.wait(60).out
        passed = outside.count()
        seen = [int(n) for n in re.findall(r"tick (\d+)", ticks.out())]
    lab.apply(lab.config())
    check(passed == 0, f"{passed} forbidden packets passed")
    check(" 0% packet loss" in told, told)
    check(seen == list(range(len(seen))) and len(seen) > 10, "the open session lost something")


def test_reload_judges_again(lab):
    """When a new policy denies ping, only ping stops, within a second; TCP goes on (C02)."""
    with lab.client.start(f"ping -i 0.05 {WEB}") as ping, lab.client.start(
        f"nc {WEB} 19"
    ) as ticks, lab.sniff("outside", "icmp", "in") as outside:
        wait_until(lambda: "icmp_seq=5" in ping.out() and "tick 3" in ticks.out(), 5, "no sessions")
        lab.apply(
            first_rule(lab.config(), "{ name: no-ping, in: lan, service: icmp, action: deny }")
        )
        applied = time.time()
        count = ticks.out().count("tick")
        time.sleep(2.5)
        late = outside.count(since=applied + 1)
        went_on = ticks.out().count("tick") - count
    check(late == 0, f"{late} pings crossed after a second")
    check(went_on >= 15, f"TCP: {went_on} lines in 2.5 s")


def test_silent_session_ends(lab):
    """A silent session that a new policy forbids is gone within a second, too (C02)."""
    with lab.client.start(f"nc -s 192.168.1.10 -p 40500 {SECOND} 7"):
        wait_until(lambda: lab.lists("sessions", "192.168.1.10:40500"), 5, "no session")
        lab.apply(
            first_rule(lab.config(), f"{{ name: none, in: lan, to: {SECOND}, action: drop }}")
        )
        wait_until(
            lambda: not lab.lists("sessions", "192.168.1.10:40500"),
            1.5,
            "the session is still there",
        )


def test_two_gateways(lab):
    """Two instances with different directories run side by side and do not meet."""
    other = Lab(lab.name + "2", lab.driver)
    try:
        other.up()
        for one in (lab, other):
            page = one.client.must(f"curl -sS -m 5 http://{WEB}/")
            check(f"you are {GATEWAY}:" in page, page)
        other.signal(signal.SIGKILL)
        check(not other.client.run(f"curl -sS -m 2 http://{WEB}/").ok, "the killed one forwards")
        check(lab.client.run(f"curl -sS -m 5 http://{WEB}/").ok, "the other one suffers")
    finally:
        other.down()


def test_af_packet(lab):
    """Where AF_XDP is not to be had, AF_PACKET does the same, fragments among it."""
    other = Lab(lab.name + "2", "af_packet")
    try:
        other.up()
        drivers = {port["driver"] for port in other.ask("show", "interfaces")["interfaces"]}
        check(drivers == {"net_af_packet"}, f"{drivers}")
        page = other.client.must(f"curl -sS -m 5 http://{WEB}/")
        check(f"you are {GATEWAY}:" in page, page)
        told = other.client.must(f"ping -c 3 -i 0.2 -s 8000 {WEB}")
        check(" 0% packet loss" in told, told)
        # Whom the gateway's kernel sees as well must get no answer from it.
        told = other.internet.run(f"nc -vz -w 2 {GATEWAY} 22")
        check("timed out" in told.out, told.out)
    finally:
        other.down()


def worker_time(pid):
    """Nanoseconds on a core so far, of all workers."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().startswith("postern-w"):
            total += int((task / "schedstat").read_text().split()[0])
    return total


def test_quiet_worker_sleeps(lab):
    """[P10] Without frames it takes less than 3 % of a core, whatever reads them; none is lost."""
    for driver in ("af_xdp", "af_packet"):
        other = Lab(lab.name + driver[3], driver)
        try:
            other.up()
            pid = other.ask("status")["pid"]
            time.sleep(1)
            before = worker_time(pid)
            time.sleep(2)
            share = (worker_time(pid) - before) / 2e9
            told = other.client.must(f"ping -c 60 -i 0.05 {WEB}")
            print(f"{driver}: {share:.2%} of a core when quiet; {told.splitlines()[-1]}")
            check(share < 0.03, f"{driver}: {share:.2%} of a core")
            check(" 0% packet loss" in told, told)
        finally:
            other.down()


def test_lab_leaves_nothing(lab):
    """After down there is no namespace, process or file of a lab, not even after a crash of up."""
    other = Lab(lab.name + "3", lab.driver)
    try:
        with subprocess.Popen(
            [POSTERN, "lab", "up", "--name", other.name], stdout=subprocess.DEVNULL
        ) as starting:
            time.sleep(0.4)
            starting.kill()
        other.up()
        check(other.client.run(f"curl -sS -m 5 http://{WEB}/").ok, "up after a crash does not work")
    finally:
        other.down()
    names = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    check(f"postern-{other.name}-" not in names, names)
    check(not os.path.exists(other.directory), "files are left")


def test_lab_needs_root(lab):
    """Without root the lab says so in one line."""
    done = subprocess.run(
        ["setpriv", "--reuid", "65534", "--clear-groups", POSTERN, "lab", "up"],
        capture_output=True,
        text=True,
        check=False,
    )
    check(
        done.returncode == 5 and len(done.stderr.splitlines()) == 1 and "root" in done.stderr,
        f"status {done.returncode}: {done.stderr}",
    )
    check(lab.pid(), "posternd of this lab")
