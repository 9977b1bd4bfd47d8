# SPDX-License-Identifier: BSD-3-Clause
"""Connections to web servers that the HTTP proxy answers, and curl that does not know of it."""

from http_test import PORT, SITE, config, error_log, http_log, show, start, web
from lab import SECOND, WEB, check, wait_until

CLIENT = "192.168.1.10"
HOLDER = f"""
import socket, time
held = socket.create_server(("0.0.0.0", {PORT}))
time.sleep(60)
"""


def transparent(more=""):
    return f"    transparent: {{ from: {CLIENT}, ports: [80, {PORT}]{more} }}\n"


def direct(host, url, *words):
    """(status, all that came) without a proxy in the command; status 000: no answer."""
    argv = ["curl", "-s", "-i", "-m", "10", "-w", "\n%{http_code}", *words, url]
    text, _, status = host.run(argv, timeout=15).out.rpartition("\n")
    return status.strip(), text


def by_proxy(text):
    return "via: 1." in text.lower()


def fetch(host, url, *words):
    status, text = direct(host, url, *words)
    check(status == "200", f"{url}: status {status}: {text[-300:]}")
    return text


def test_http_transparent(lab):
    """A browser that knows of no proxy gets its page through the cache: the second fetch costs no
    packet outside, and sessions and the log say who it was (F55, F56)."""
    start(lab, config(lab, transparent()))
    with web(lab) as server:
        first = fetch(lab.client, f"{SITE}/file/200000-transparent")
        check(by_proxy(first) and "0123456789abcdef" * 100 in first, first[:300])
        wait_until(lambda: show(lab)["cache"]["store"]["stored"] >= 1, 5, "not stored")
        with lab.sniff("outside", f"host {WEB}") as wire:
            again = fetch(lab.client, f"{SITE}/file/200000-transparent")
            check(again.count("0123456789abcdef") == first.count("0123456789abcdef"), "cut short")
            check(wire.count() == 0, f"packets outside: {wire.packets()[:3]}")
        check(server.out().count("/file/200000-transparent") == 1, server.out())
        line = http_log(lab)[-1]
        check(line.startswith(f"{CLIENT} ") and f"{SITE}/file/200000-transparent" in line, line)
        told = lab.ask("explain", "--in", "lan", "--src", f"{CLIENT}:5000", "--dst",
                       f"{WEB}:{PORT}", "--proto", "tcp")
        check(told["verdict"] == "host" and told["out"] == "gateway", f"{told}")
        check(told["stages"][-1]["stage"] == "http-proxy", f"{told}")
        check(lab.lists("sessions", f"{WEB}:{PORT}"), "no session is shown")
        # An explicit proxy has the same page.
        argv = ["curl", "-s", "-x", "http://192.168.1.1:3128", f"{SITE}/file/200000-transparent"]
        check(len(lab.client2.must(argv)) == 200000, "by the proxy's own port")
        check(server.out().count("/file/200000-transparent") == 1, server.out())


def test_http_transparent_large(lab):
    """Twenty connections at once, to two servers, each get all of it (F56)."""
    start(lab, config(lab, transparent()))
    with web(lab):
        urls = [f"{SITE}/file/{size}-many-{size}" for size in range(300000, 310000, 1000)]
        urls += [f"http://{SECOND}/bytes/{size}" for size in range(300000, 310000, 1000)]
        ask = "xargs -P 20 -n 1 curl -s -m 20 -o /dev/null -w '%{size_download}\\n'"
        told = lab.client.must(["sh", "-c", f"printf '%s\\n' {' '.join(urls)} | {ask}"]).split()
        sizes = sorted(int(size) for size in told)
        check(sizes == sorted(2 * list(range(300000, 310000, 1000))), f"{sizes}")


def test_http_transparent_others(lab):
    """Another host, another network, another port and a server that is left alone speak directly,
    and so does everybody once it is switched off (F56)."""
    start(lab, config(lab, transparent(f", except: {SECOND}")))
    with web(lab) as server:
        url = f"{SITE}/page-others"
        check(by_proxy(fetch(lab.client, url)), "the one that is chosen")
        for host in (lab.client2, lab.dmz):
            for _ in range(2):
                check(not by_proxy(fetch(host, url)), f"{host.name} is answered by the proxy")
        check(server.out().count("/page-others") == 5, server.out())
        for place in (f"{WEB}:8080", SECOND):
            text = fetch(lab.client, f"http://{place}/")
            check(not by_proxy(text) and "you are 203.0.113.2:" in text, f"{place}: {text}")
        text = fetch(lab.client, f"http://{WEB}/")
        check(by_proxy(text) and "you are 203.0.113.2:" in text, text)
        lab.apply(config(lab, transparent().replace("    ", "    enabled: false\n    ", 1)))
        check(not by_proxy(fetch(lab.client, url)), "answered by a proxy that is switched off")


def test_http_transparent_filter(lab):
    """A site that the filter denies stays denied, with the answer of the filter, and whatever Host
    says (F58)."""
    rule = f"    - {{ name: no-second, in: lan, to: {SECOND}, action: deny }}\n"
    start(lab, config(lab, transparent(), rules=rule))
    with web(lab):
        before = len(http_log(lab))
        done = lab.client.run(["curl", "-s", "-m", "5", f"http://{SECOND}/"])
        check(done.status == 7 and done.seconds < 3, f"{done.status}, {done.seconds} s: {done.out}")
        check(len(http_log(lab)) == before, f"the proxy was asked: {http_log(lab)[before:]}")
        # By a server that is permitted to one that is not: the one that is permitted answers.
        text = fetch(lab.client, f"{SITE}/page-lent", "-H", f"Host: {SECOND}:{PORT}")
        check("/page-lent says hello" in text, text)
        status, text = direct(lab.client, f"{SITE}/page-lent", "--request-target",
                              f"http://{SECOND}/", "-H", f"Host: {SECOND}")
        check("second" not in text and "you are" not in text, f"{status}: {text}")
        status, text = direct(lab.client, f"{SITE}/", "-X", "CONNECT", "--request-target",
                              f"{SECOND}:443")
        check(status == "421", f"CONNECT: {status}: {text}")


def test_http_transparent_host(lab):
    """What a server says under a name that is not its own is passed on and never kept (F56)."""
    start(lab, config(lab, transparent()))
    forged = ["-H", f"Host: second.example:{PORT}"]
    right = ["-H", f"Host: web.example:{PORT}"]
    with web(lab) as server:
        for _ in range(2):
            text = fetch(lab.client, f"{SITE}/page-forged", *forged)
            check("says hello" in text, f"not passed on: {text}")
        check(server.out().count("/page-forged") == 2, f"kept: {server.out()}")
        status, text = direct(lab.client, f"http://{SECOND}:{PORT}/page-forged", *forged)
        check(status == "502", f"the name has another's page: {status}: {text}")
        for _ in range(2):
            fetch(lab.client, f"{SITE}/page-right", *right)
        check(server.out().count("/page-right") == 1, f"not kept: {server.out()}")


def test_http_transparent_down(lab):
    """Where the proxy cannot listen, connections are refused with an answer and status says so;
    when the port is free it begins by itself. Elsewhere nothing changes (F56)."""
    holder = lab.gateway.start(["/usr/bin/python3", "-c", HOLDER])
    try:
        wait_until(lambda: f":{PORT}" in lab.gateway.run("ss -lnt").out, 10, "it does not listen")
        start(lab, config(lab, transparent()))
        with web(lab):
            url = f"{SITE}/page-down"

            def is_refused():
                return lab.client.run(["curl", "-s", "-m", "3", url]).status == 7

            wait_until(is_refused, 10, "not refused")
            done = lab.client.run(["curl", "-s", "-m", "5", url])
            check(done.status == 7 and done.seconds < 2, f"{done.status}, {done.seconds} s")
            warnings = str(lab.ask("status")["warnings"])
            check("connections to web servers" in warnings, warnings)
            check(not by_proxy(fetch(lab.client2, url)), "another host")
            argv = ["curl", "-s", "-m", "5", "-x", "http://192.168.1.1:3128", url]
            check("says hello" in lab.client.must(argv), "by the proxy's own port")
            holder.stop()
            wait_until(lambda: by_proxy(direct(lab.client, url)[1]), 30, "it does not begin")
            check("connections to web servers" not in str(lab.ask("status")["warnings"]), "warns")
            told = [line for line in error_log(lab) if "connections to web servers" in line]
            check(told, "nothing in the error log")
    finally:
        holder.stop()


def test_http_transparent_kernel(lab):
    """The kernel's rules are those of the configuration: none is left when it is gone (F02)."""

    def rules():
        return lab.gateway.must("ip rule show").count("lookup 80080")

    before = rules()
    start(lab, config(lab, transparent()))
    check(before == 0 and rules() == 1, f"{before} rules, then {rules()}")
    lab.apply(lab.config())
    check(rules() == 0, f"{rules()} rules are left")
    start(lab, config(lab, transparent()))
    lab.restart_with(lab.config())
    check(rules() == 0, f"{rules()} rules are left after a restart")


def test_http_transparent_workers(lab):
    """With two workers, which hand packets to each other, hosts of both get their pages (F56)."""
    workers = "system:\n  workers: { count: 2 }\n"
    both = f"    transparent: {{ from: 192.168.1.0/24, ports: {PORT} }}\n"
    try:
        lab.restart_with(config(lab, both).replace("system:\n", workers, 1))
        check(len(lab.ask("status")["workers"]) == 2, "there are not two workers")
        with web(lab):
            for address in range(40, 48):
                own = f"192.168.1.{address}"
                lab.client.must(f"ip address add {own}/24 dev eth0")
                text = fetch(lab.client, f"{SITE}/file/100000-{address}", "--interface", own)
                check(by_proxy(text) and len(text) > 100000, f"{own}: {len(text)} bytes")
                wait_until(lambda own=own: http_log(lab)[-1].startswith(f"{own} "), 3, own)
    finally:
        for address in range(40, 48):
            lab.client.run(f"ip address del 192.168.1.{address}/24 dev eth0")
        lab.restart_with(lab.config())
