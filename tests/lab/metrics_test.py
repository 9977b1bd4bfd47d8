# SPDX-License-Identifier: BSD-3-Clause
"""What the gateway counts, as monitoring reads it (P20)."""

import json
import re
import subprocess
import time

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from lab import GATEWAY, HERE, ROUTER, SECOND, WEB, check, first_rule

MONITORING = HERE + "/../../deploy/monitoring"
PORT = 9342
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"
SCRAPER = "192.168.1.10"


def config(lab, admin=f"{{ listen: lan, from: {SCRAPER} }}"):
    proxy = "services:\n  http: { listen: lan, cache: { size: 16MiB } }\n"
    proxy += "  mail: { domains: office.example, postmaster: alice }\n"
    text = re.sub("^services:\n", proxy, lab.config(), flags=re.MULTILINE)
    text += f"\nadmin:\n  metrics: {admin}\n"
    rule = f"{{ name: metrics, in: lan, out: gateway, service: tcp/{PORT}, action: permit }}"
    return first_rule(text, rule)


def scrape(host, at="127.0.0.1", *options):
    """The text that the gateway tells at an address."""
    return host.must(["curl", "-sS", "-m", "5", *options, f"http://{at}:{PORT}/metrics"])


def samples(text):
    """{name: {labels: value}} of a text in either format."""
    found = {}
    for name, labels, value in re.findall(r"^([a-z_]+)(\{.*\})? (\S+)$", text, re.MULTILINE):
        found.setdefault(name, {})[labels] = float(value)
    return found


def fresh(host, at="127.0.0.1"):
    """A page that is not the one before."""
    time.sleep(0.3)
    return samples(scrape(host, at))


def told_by_promtool(words, text):
    done = subprocess.run(
        ["promtool", *words], input=text, capture_output=True, text=True, check=False
    )
    check(done.returncode == 0, f"promtool {words}: {(done.stdout + done.stderr)[-600:]}")


def test_promtool_has_nothing_to_say(lab):
    """Both formats are what they say, and follow the conventions of names (P20)."""
    lab.apply(config(lab))
    text = scrape(lab.gateway)
    told_by_promtool(["check", "metrics"], text)
    head = lab.gateway.must(f"curl -sS -I -m 5 http://127.0.0.1:{PORT}/metrics")
    check("text/plain; version=0.0.4" in head, head)
    told = scrape(lab.gateway, "127.0.0.1", "-H", f"Accept: {OPEN_METRICS}", "-i")
    check("Content-Type: application/openmetrics-text; version=1.0.0" in told, told[:400])
    body = told.partition("\r\n\r\n")[2]
    families = list(text_string_to_metric_families(body))  # a strict reader
    check(len(families) > 100, f"there are only {len(families)} families")
    check(set(samples(text)) == set(samples(body)), "the formats tell different samples")
    described = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    check(len(described) == len(set(described)), "a family is described twice")
    check(len(described) == len(families), f"{len(described)} and {len(families)} families")


def expressions(node):
    """All PromQL of a dashboard."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("expr", "query") and isinstance(value, str):
                yield value
            yield from expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from expressions(value)


def test_dashboard_and_alerts_name_what_there_is(lab):
    """Each metric that the shipped dashboard and alert rules name is in a scrape, and the rules say
    what they should of gateways that are well and of others (P20)."""
    lab.apply(config(lab))
    lab.ask("cache", "recreate")  # it may have been another test's, of another size
    time.sleep(0.3)  # a page that is not the one before
    page = scrape(lab.gateway)
    # Warnings are described, and there are none.
    known = set(samples(page)) | set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE))
    rules = MONITORING + "/alerts.yaml"
    told_by_promtool(["check", "rules", "--lint-fatal", rules], "")
    told_by_promtool(["test", "rules", HERE + "/alerts.yaml"], "")
    with open(rules, encoding="utf-8") as file:
        texts = {"alerts.yaml": file.read()}
    with open(MONITORING + "/grafana-dashboard.json", encoding="utf-8") as file:
        texts["grafana-dashboard.json"] = "\n".join(expressions(json.load(file)))
    for name, text in texts.items():
        used = set(re.findall(r"\b(?:postern|process)_[a-z0-9_]+\b", text))
        check(len(used) > 20, f"{name} names {len(used)} metrics only")
        check(used <= known, f"{name} names what is not told: {sorted(used - known)}")


def test_metrics_are_what_show_tells(lab):
    """Packets, drops, rules and sessions grow by what crosses, and are those of `postern show`."""
    lab.apply(config(lab))
    before = fresh(lab.gateway)
    lab.client.must(f"ping -c 20 -i 0.02 {WEB}")
    lab.client.run(f"nc -z -w 1 {WEB} 23", timeout=5)
    after = fresh(lab.gateway)

    def grown(name, labels=None):
        return after[name][labels or ""] - before[name][labels or ""]

    check(grown("postern_interface_receive_packets_total", '{interface="lan"}') >= 21, "lan")
    check(grown("postern_interface_transmit_bytes_total", '{interface="wan"}') >= 20 * 98, "wan")
    check(grown("postern_rule_packets_total", '{rule="office-out"}') >= 20, "office-out")
    check(grown("postern_rule_packets_total", '{rule="no-telnet"}') >= 1, "no-telnet")
    check(grown("postern_dropped_packets_total", '{reason="filter_deny"}') >= 1, "filter_deny")
    check(grown("postern_sessions_created_total", '{worker="0"}') >= 1, "sessions")
    status = lab.ask("status")
    check(after["postern_config_generation"][""] == status["configuration"]["generation"], "policy")
    drops = lab.ask("show", "drops", "--all")["drops"]
    reasons = {'{reason="' + row["reason"] + '"}' for row in drops}
    check(set(after["postern_dropped_packets_total"]) == reasons, "reasons of drops")
    names = {rule["name"] for rule in lab.ask("show", "rules")["rules"]} | {"default"}
    told = {labels[7:-2] for labels in after["postern_rule_packets_total"]}
    check(told == names, f"rules {told ^ names}")
    check(after["postern_dhcp_pool_addresses"]['{scope="lan"}'] == 100, "the pool of lan")
    check(after["postern_dns_cache_entries_max"][""] == 100000, "the cache")


def test_told_inside_and_to_who_may_ask(lab):
    """Metrics are told on loopback and inside, to the listed host alone, never outside; without the
    key nobody listens."""
    lab.apply(config(lab))
    check("postern_build_info" in scrape(lab.client, "192.168.1.1"), "the listed host")
    for host, source, to in (
        (lab.client, "192.168.1.12", "192.168.1.1"),  # not listed
        (lab.client2, "192.168.1.11", "192.168.1.1"),
        (lab.dmz, "10.9.0.10", "10.9.0.1"),  # another interface
        (lab.internet, SECOND, GATEWAY),
        (lab.isp, ROUTER, GATEWAY),
    ):
        told = host.run(f"curl -sS -m 2 --interface {source} http://{to}:{PORT}/metrics", timeout=5)
        check("postern_" not in told.out, f"{host.name} reads metrics: {told.out[:200]}")
    after = fresh(lab.gateway)["postern_metrics_refused_connections_total"]
    check(after['{reason="source"}'] >= 2, f"no refusal is counted: {after}")
    listening = lab.gateway.must("ss -lntH")
    check(listening.count(f":{PORT} ") == 3, listening)  # loopback, two addresses of lan
    lab.apply(lab.config())
    check(f":{PORT} " not in lab.gateway.must("ss -lntH"), "somebody listens")


def test_slow_and_greedy_clients(lab):
    """Clients that say nothing, half a request or too much hold a few places for a moment, and the
    gateway goes on."""
    lab.apply(config(lab))
    code = f"""
    import socket, time
    def connect():
        one = socket.create_connection(("127.0.0.1", {PORT}), 2)
        one.settimeout(8)
        return one
    idle = [connect() for _ in range(3)]
    half = connect()
    half.sendall(b"GET /metrics HTTP/1.1\\r\\nHost: gw\\r\\n")
    beyond = connect()
    print("beyond", beyond.recv(100))
    start = time.monotonic()
    print("half", half.recv(100), time.monotonic() - start < 7)
    greedy = connect()
    greedy.sendall(b"GET /metrics HTTP/1.1\\r\\nX: " + b"x" * 9000)
    print("greedy", greedy.recv(100)[:12])
    """
    told = lab.gateway.python(code, timeout=20)
    check("beyond b''" in told, told)
    check("half b'' True" in told, told)
    check("greedy b'HTTP/1.1 431'" in told, told)
    check("postern_build_info" in scrape(lab.gateway), "nobody is served any more")
