# SPDX-License-Identifier: BSD-3-Clause
"""The steps of tests/system/run, each on what the one before left. Each is told the container and
the path of the package."""

import contextlib
import json
import os
import re
import shutil
import stat
import subprocess
import time

import yaml

import ssh_steps
from container import Failure, check, run, wait_until

CONFIG = """version: 1
interfaces:
  wan: { port: kernel:wan0, zone: external, address: 203.0.113.2/24 }
  lan: { port: kernel:lan0, zone: internal, address: 192.168.1.1/24 }
routes:
  - { to: default, via: 203.0.113.1 }
services:
  dns: { domain: office.example, servers: 203.0.113.1 }
  dhcp:
    scopes: [ { interface: lan, subnet: 192.168.1.0/24, range: 192.168.1.100-192.168.1.199 } ]
nat:
  source: [ { out: wan, action: masquerade } ]
admin:
  socket: { group: postern, role: none }
logging:
  security: { journal: true }
  error: { journal: true }
  audit: { journal: true }
filter:
  rules:
    - { name: outbound, in: [internal, gateway], out: external, action: permit }
    - { name: ssh, in: internal, out: gateway, service: [tcp/22, icmp], action: permit }
    - { name: cleanup, action: drop, log: true }
"""
FILE = "/etc/postern/gateway.yaml"
INTERNET = "203.0.113.1"
CACHE = "/var/cache/postern/http"
HTTP = f"""services:
  http:
    allow_private: {INTERNET}      # a documentation address, which is not public
    cache: {{ file: {CACHE}, size: 16MiB, largest_object: 1MiB }}
"""
# Asks the proxy for a page; prints what it says of its cache, then the page.
ASK = f"""import urllib.request
proxy = urllib.request.ProxyHandler({{"http": "http://192.168.1.1:3128"}})
with urllib.request.build_opener(proxy).open("http://{INTERNET}/page", timeout=10) as answer:
    print(answer.headers["Cache-Status"], answer.read().decode())
"""
DROP_IN = "[Service]\nSystemCallErrorNumber=kill\nSystemCallFilter=iopl\n"


def state(box, key):
    return box.must(f"systemctl show posternd --property {key} --value").strip()


def status_of(box):
    return json.loads(box.must("postern --json status"))


def is_live(box):
    code, out = box.run("postern --json status")
    return code == 0 and json.loads(out)["state"] == "live"


def installs(box, package):
    """The package installs without a question, and starts nothing: nobody has written a
    configuration yet, and there is no account and no password (F60)."""
    accounts = box.must("cat /etc/passwd /etc/shadow")
    shutil.copy(package, box.root + "/root/postern.deb")
    box.must("dpkg --install /root/postern.deb")
    check(state(box, "ActiveState") == "inactive", "it runs: " + state(box, "ActiveState"))
    check(state(box, "UnitFileState") == "enabled", "it is not enabled")
    check(state(box, "ConditionResult") == "no", "it was tried without a configuration")
    check(not box.exists(FILE), f"{FILE} is there")
    check(box.must("cat /etc/passwd /etc/shadow") == accounts, "there is a new account")
    check("postern:" in box.must("cat /etc/group"), "there is no group")
    box.must("postern check /etc/postern/gateway.yaml.example")
    for path in (
        "/usr/share/bash-completion/completions/postern",
        "/usr/share/zsh/vendor-completions/_postern",
        "/usr/share/postern/schema/status.json",
        "/usr/lib/sysctl.d/60-postern.conf",
    ):
        check(box.exists(path), f"{path} is missing")
    for path, mode in (("/etc/postern", 0o750), ("/var/lib/postern", 0o750)):
        found = stat.S_IMODE(os.stat(box.root + path).st_mode)
        check(found == mode, f"{path} has the mode {found:o}")


def starts(box, _):
    """With a configuration the unit comes up, both ports by AF_XDP, and hosts inside get out."""
    box.write(FILE, CONFIG)
    box.must("/lib/systemd/systemd-sysctl /usr/lib/sysctl.d/60-postern.conf")
    # A system call that the unit does not permit ends the process here, so that it is seen. But
    # DPDK always tries iopl, for old virtio cards, and does without.
    os.makedirs(box.root + "/run/systemd/system/posternd.service.d", exist_ok=True)
    place = "/run/systemd/system/posternd.service.d"
    box.must(f"mkdir -p {place}")
    box.must(f"tee {place}/test.conf", stdin=DROP_IN)
    box.must("systemctl daemon-reload")
    code, out = box.run("systemctl start posternd")
    told = box.run("journalctl --no-pager -n 20 -u posternd")[1]
    check(code == 0, f"{out} {told}")
    ports = json.loads(box.must("postern --json show interfaces"))["interfaces"]
    drivers = {port["driver"] for port in ports}
    check(drivers == {"net_af_xdp"}, f"{drivers}: {told}")
    wait_until(lambda: box.reaches("client", INTERNET), 10, "no ping crosses")
    check(box.reaches("client", "192.168.1.1"), "the gateway does not answer")
    check(status_of(box)["warnings"] == [], str(status_of(box)["warnings"]))
    sockets = box.must("ss -Hlun")
    check(":53 " in sockets and ":67 " in sockets, f"DNS or DHCP does not listen: {sockets}")


def is_confined(box, _):
    """The process has the capabilities of its unit and no more, no new privileges, a filter of
    system calls; systemd rates the unit as medium at most."""
    pid = state(box, "MainPID")
    facts = dict(re.findall(r"^(\w+):\s*(.*)$", box.must(f"cat /proc/{pid}/status"), re.M))
    check(facts["NoNewPrivs"] == "1" and facts["Seccomp"] == "2", str(facts))
    # chown, net_bind_service, net_admin, net_raw, ipc_lock, sys_rawio, sys_admin, sys_nice,
    # sys_resource, bpf
    wanted = sum(1 << bit for bit in (0, 10, 12, 13, 14, 17, 21, 23, 24, 39))
    of_machine = re.search(r"^CapBnd:\s*(\w+)$", box.must("cat /proc/1/status"), re.M)[1]
    wanted &= int(of_machine, 16)
    check(int(facts["CapBnd"], 16) == wanted, f"capabilities {facts['CapBnd']}, not {wanted:016x}")
    for path in ("/usr/x", "/etc/x", "/home/x", "/proc/sys/kernel/modules_disabled"):
        code, _ = box.run(["nsenter", "-t", pid, "-m", "sh", "-c", f"echo 0 2>/dev/null >{path}"])
        check(code != 0 or "modules_disabled" in path, f"{path} can be written")
    told = box.must("systemd-analyze security --no-pager posternd")
    level = float(re.search(r"exposure level for posternd.service: ([\d.]+)", told)[1])
    print(f"     systemd-analyze security: {level}")
    check(level < 5.0, f"exposure {level}")


def reloads(box, _):
    """systemctl reload puts the file into force, a bad one fails and changes nothing; `apply
    --save` may write the file, though the unit sees the rest of /etc read-only."""
    rule = "    - { name: no-games, in: lan, service: udp/27015, action: drop }\n"
    box.write(FILE, CONFIG.replace("  rules:\n", "  rules:\n" + rule))
    box.must("systemctl reload posternd")
    check("no-games" in box.must("postern show rules"), "the rule is not in force")
    box.write(FILE, CONFIG + "nonsense: 1\n")
    check(box.run("systemctl reload posternd")[0] != 0, "a bad file was taken")
    check("no-games" in box.must("postern show rules"), "a bad file changed something")
    box.write("/etc/postern/new.yaml", CONFIG)
    told = box.must("postern apply --save /etc/postern/new.yaml")
    check("saved to " + FILE in told, told)
    with open(box.root + FILE, encoding="utf-8") as file:
        check(file.read() == CONFIG, "the file says something else")
    check(state(box, "ActiveState") == "active", "it does not run any more")


@contextlib.contextmanager
def web_server(box, text):
    """A web server outside, whose /page was last changed ten days ago: fresh for a day."""
    folder = box.directory + "/web"
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/page", "w", encoding="ascii") as file:
        file.write(text)
    os.utime(folder + "/page", times=(time.time() - 10 * 86400,) * 2)
    command = ["ip", "netns", "exec", box.namespace("internet"), "/usr/bin/python3", "-m",
               "http.server", "--directory", folder, "--bind", INTERNET, "80"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            yield
        finally:
            server.kill()


def asks_proxy(box):
    """What the proxy said of its cache and the page; empty where there was none."""
    with contextlib.suppress(Failure):
        return box.host("client", ["/usr/bin/python3", "-c", ASK]).strip()
    return ""


def keeps_pages(box, _):
    """The HTTP proxy has its file in the cache directory of the unit, and serves a page from it
    when the server is gone (F55)."""
    box.write(FILE, CONFIG.replace("services:\n", HTTP))
    box.must("systemctl reload posternd")
    wait_until(
        lambda: json.loads(box.must("postern --json show cache"))["cache"]["state"] == "ready",
        10,
        "the cache does not open",
    )
    size = os.stat(box.root + CACHE).st_size
    check(size == 16 << 20, f"{CACHE} has {size} octets")
    with web_server(box, "a page of the web"):
        wait_until(lambda: "a page" in asks_proxy(box), 10, "no page comes by the proxy")
    told = asks_proxy(box)
    check("hit" in told and "a page of the web" in told, f"the page was not kept: {told}")


def journal(box, *fields):
    """The records of the journal with these fields."""
    told = box.must(["journalctl", "--no-pager", "--output", "json", *fields])
    return [json.loads(line) for line in told.splitlines() if line.startswith("{")]


def logs_into_the_journal(box, _):
    """What the filter drops and who changed what are lines of the journal, field by field, as the
    configuration asks for; and so is what the daemon has to say of itself."""
    box.host("internet", ["bash", "-c", "! timeout 1 bash -c '>/dev/tcp/203.0.113.2/8081'"])
    wanted = ("POSTERN_LOG=security", "POSTERN_ACTION=drop", "POSTERN_RULE=cleanup")
    wait_until(lambda: journal(box, *wanted), 10, "the drop is not in the journal")
    line = journal(box, *wanted)[-1]
    check("203.0.113.1" in line["MESSAGE"] and "8081" in line["MESSAGE"], str(line))
    check(line["SYSLOG_IDENTIFIER"] == "postern" and "_PID" in line, str(line))
    check(line["_SYSTEMD_UNIT"] == "posternd.service", str(line))
    audit = journal(box, "POSTERN_LOG=audit", "POSTERN_ACTION=apply")
    check(any("root" in line.get("POSTERN_WHO", "") for line in audit), f"audit: {audit}")
    box.must("systemctl restart posternd")
    wait_until(lambda: journal(box, "POSTERN_LOG=error"), 10, "the error log is not in the journal")
    lost = box.must("postern --json status")
    check('"journal_lost": 0' in lost or "journal_lost" not in lost, lost)


def administers_by_ssh(box, _):
    ssh_steps.administers_by_ssh(box, CONFIG)


administers_by_ssh.__doc__ = ssh_steps.administers_by_ssh.__doc__


def is_an_example_of_cloud_init(box, _):
    """The example of cloud-init is valid by its own schema, and its configuration by ours."""
    path = "/usr/share/doc/postern/examples/cloud-init.yaml"
    told = box.must(["cloud-init", "schema", "--config-file", path])
    check("Valid cloud-config" in told, told)
    with open(box.root + path, encoding="utf-8") as file:
        files = yaml.safe_load(file)["write_files"]
    texts = [one["content"] for one in files if one["path"] == FILE]
    check(len(texts) == 1, f"it writes {FILE} {len(texts)} times")
    box.must("postern check -", stdin=texts[0])


def comes_back(box, _):
    """What is killed or hangs is started again, and forwards."""
    for number, seconds in (("KILL", 15), ("STOP", 40)):
        pid = state(box, "MainPID")
        box.must(f"kill -{number} {pid}")
        wait_until(
            lambda old=pid: state(box, "MainPID") not in (old, "0") and is_live(box),
            seconds,
            f"it does not come back after {number}",
        )
        wait_until(lambda: box.reaches("client", INTERNET), 10, f"no ping crosses after {number}")


def is_managed_by_ansible(box, _):
    """The Ansible role changes the gateway once: a second run and a check change nothing, --check
    says what would change."""
    box.must(["install", "-d", "-m", "700", "/root/.ssh"])
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", box.directory + "/key"])
    with open(box.directory + "/key.pub", encoding="ascii") as file:
        box.write("/root/.ssh/authorized_keys", file.read(), 0o600)
    box.must("systemctl restart ssh")
    work = box.directory + "/ansible"
    source = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../deploy/ansible")
    shutil.copytree(source, work)
    with open(work + "/hosts", "w", encoding="ascii") as file:
        file.write(
            "[gateways]\n192.168.1.1 ansible_user=root ansible_python_interpreter=/usr/bin/python3 "
            f"ansible_ssh_private_key_file={box.directory}/key ansible_ssh_common_args='"
            "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'\n"
        )

    def play(text, *options):
        with open(work + "/roles/postern/gateway.yaml", "w", encoding="utf-8") as file:
            file.write(text)
        command = ["/usr/bin/ansible-playbook", "-i", "hosts", "site.yaml", *options]
        environment = {"PATH": "/usr/bin:/bin", "HOME": work, "LC_ALL": "C.UTF-8",
                       "ANSIBLE_NOCOLOR": "1"}
        command += ["-e", f"postern_config={work}/roles/postern/gateway.yaml"]
        told = box.host("client", command, cwd=work, env=environment, timeout=240)
        return int(re.search(r"changed=(\d+)", told)[1]), told

    rule = "    - { name: by-ansible, in: lan, service: udp/27015, action: drop }\n"
    other = CONFIG.replace("  rules:\n", "  rules:\n" + rule)
    changed, told = play(other, "--check", "--diff")
    check(changed == 1, f"--check: {changed} changes: {told[-600:]}")
    check("by-ansible" not in box.must("postern show rules"), "--check has changed the gateway")
    changed, told = play(other)
    check(changed == 1 or changed == 2, f"first run: {changed} changes: {told[-600:]}")
    check("by-ansible" in box.must("postern show rules"), "the rule is not in force")
    check(status_of(box)["trial"] is None, "it is still on trial")
    for options in ((), ("--check",)):
        changed, told = play(other, *options)
        check(changed == 0, f"second run {options}: {changed} changes: {told[-600:]}")
    box.must(["sh", "-c", f"echo '# by hand' >>{FILE}"])
    changed, told = play(other)
    check(changed in (1, 2), f"another file: {changed} changes: {told[-600:]}")
    check("by hand" not in box.must(f"cat {FILE}"), "the next start brings it back")
    try:
        play(CONFIG + "nonsense: 1\n")
        raise AssertionError
    except Failure as what:
        check("nonsense" in str(what), f"the error is not told: {what}")
    check("by-ansible" in box.must("postern show rules"), "a bad file changed something")


def is_upgraded(box, _):
    """An upgrade restarts the gateway and keeps its configuration."""
    pid = state(box, "MainPID")
    box.must("dpkg --install /root/postern.deb")
    check(state(box, "MainPID") != pid, "it was not restarted")
    check(is_live(box) and "by-ansible" in box.must("postern show rules"), "it runs otherwise")


def starts_with_the_machine(box, _):
    """The unit is part of the start of the machine and before its network."""
    told = box.must("systemctl list-dependencies --plain multi-user.target")
    check("posternd.service" in told, told)
    check("network-pre.target" in state(box, "Before"), "it is not before the network")


def stops(box, _):
    """systemctl stop ends it cleanly and at once; then nothing crosses."""
    start = time.monotonic()
    box.must("systemctl stop posternd")
    seconds = time.monotonic() - start
    check(seconds < 15, f"it took {seconds:.1f} s")
    check(state(box, "Result") == "success", state(box, "Result"))
    check(not box.reaches("client", INTERNET), "ping crosses without it")


def is_removed(box, _):
    """Removed, the configuration, the state and the cache stay; purged, nothing is left."""
    box.must("dpkg --remove postern")
    check(box.exists(FILE) and box.exists("/var/lib/postern/last-good.yaml"), "state is lost")
    check(box.exists(CACHE), "the cache is lost")
    check(not box.exists("/usr/sbin/posternd"), "the program is left")
    box.must("dpkg --purge postern")
    told = box.must(["sh", "-c", "find / -xdev -name '*postern*' -not -path '/proc/*' "
                     "-not -path '/sys/*' -not -path '/root/*' -not -path '/run/*'"])
    check(not told.strip(), told)
    for path in ("/etc/postern", "/var/cache/postern"):
        check(not box.exists(path), f"{path} is left")


STEPS = (
    installs,
    starts,
    is_confined,
    reloads,
    keeps_pages,
    logs_into_the_journal,
    is_an_example_of_cloud_init,
    comes_back,
    administers_by_ssh,
    is_managed_by_ansible,
    is_upgraded,
    starts_with_the_machine,
    stops,
    is_removed,
)
