# SPDX-License-Identifier: BSD-3-Clause
"""What the lab's tests of mail share: an office with mailboxes, an ISP, programs that send, others
that read."""

import email
import glob
import json
import os
import re
import subprocess
import textwrap
import time

from lab import GATEWAY, HERE, POSTERN, WEB, check, wait_until
from mail_letters import DOMAIN

PASSWORD = "correct-horse1"
GATEWAY_INSIDE = "192.168.1.1"
RELAY_PORT, POP3_PORT = 2525, 2110
ISP_USER, ISP_PASSWORD = "acme", "isp-secret1"
USERS = ["anna", "bert", "carol", "dora"]
# From outside a rule lets mail in.
DOOR = "    - { name: mail, in: wan, out: gateway, service: tcp/25, action: permit }\n"


def accounts():
    """`users` of the configuration, all with one password."""
    done = subprocess.run([POSTERN, "passwd-hash", "--mib", "19"], input=PASSWORD + "\n",
                          capture_output=True, text=True, timeout=60, check=False)
    secret = re.search(r"\$argon2id\S+", done.stdout)
    check(secret, f"no hash: {done.stdout}{done.stderr}")
    lines = [f'    {name}: {{ password: "{secret[0]}" }}' for name in USERS]
    return "users:\n  accounts:\n" + "\n".join(lines) + "\n"


class Office:
    """The gateway with its mail service."""

    def __init__(self, lab):
        self.lab = lab
        self.users = accounts()
        self.is_fresh = True

    def config(self, more=""):
        """`more`: further keys of services.mail."""
        head, tail = self.lab.plain_config().split("filter:\n", 1)
        tail = tail.replace("  rules:\n", "  rules:\n" + DOOR, 1)
        return head + f"""
services:
  dns: {{ servers: 198.51.100.53, rebind_guard: false }}
  mail:
    domains: {DOMAIN}
    postmaster: dora
    from_outside: true
    aliases: {{ sales: [anna, bert] }}
    sorting:
      - {{ name: gardens, headers: {{ List-Id: "*<gardens.lists.example>" }}, folder: Lists }}
    submission: {{}}
    pop3: {{}}
    queue: {{ first_retry: 10s, warning: 0s }}
{textwrap.indent(textwrap.dedent(more), "    ")}
{self.users}
filter:
{tail}"""

    def start(self, more=""):
        """Puts it in force, and waits for the service."""
        self.lab.apply(self.config(more))
        wait_until(lambda: self.show().get("running"), 20, "the mail service does not run")
        # What a test before has left in the queue is none of this one's.
        for one in self.queue() if self.is_fresh else []:
            self.lab.postern("mail", "delete", one["id"])
        self.is_fresh = False

    def show(self, *words):
        return self.lab.ask("show", "mail", *words)

    def queue(self):
        return self.show("queue")["messages"]

    def wait_for_empty(self, seconds=20):
        wait_until(lambda: not self.queue(), seconds, f"in the queue: {self.queue()[:3]}")

    def log(self, *words):
        """Lines of the mail log that have all of `words`."""
        path = self.lab.directory + "/state/log/mail.log"
        with open(path, encoding="utf-8") as file:
            return [line for line in file if all(word in line for word in words)]

    def files(self, user, folder=""):
        """The messages of a mailbox, parsed."""
        place = f"{self.lab.directory}/state/mail/mailboxes/{user}/{folder}"
        found = []
        for path in glob.glob(f"{place}/new/*") + glob.glob(f"{place}/cur/*"):
            with open(path, "rb") as file:
                found.append(email.message_from_binary_file(file))
        return found

    def count(self, user, tag, folder=""):
        """How many messages of that X-Tag are in a mailbox."""
        return sum(one["X-Tag"] == tag for one in self.files(user, folder))

    def wait_for(self, user, tag, seconds=20):
        wait_until(lambda: self.count(user, tag) > 0, seconds, f"{tag} does not come to {user}")


class Isp:
    """The ISP's servers in the internet."""

    def __init__(self, lab):
        self.lab = lab
        self.folder = lab.scratch("relayed")
        os.makedirs(self.folder)
        self.certificate, self.key = lab.scratch("isp.pem"), lab.scratch("isp.key")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "30", "-subj", "/CN=mail.isp.example", "-addext",
             "subjectAltName=DNS:mail.isp.example", "-keyout", self.key, "-out", self.certificate],
            capture_output=True, check=True)
        self.password_file = lab.scratch("isp.password")
        with open(self.password_file, "w", encoding="ascii") as file:
            file.write(ISP_PASSWORD + "\n")
        os.chmod(self.password_file, 0o600)

    def relay(self):
        return self.serve("relay", RELAY_PORT, self.folder, ISP_USER, ISP_PASSWORD)

    def pop3(self, cuts):
        return self.serve("pop3", POP3_PORT, ISP_USER, ISP_PASSWORD, str(cuts))

    def serve(self, kind, port, *words):
        return self.lab.internet.serve(
            ["/usr/bin/python3", "-B", HERE + "/mail_upstream.py", kind, WEB, str(port),
             self.certificate, self.key, *words], port)

    def relay_keys(self, more=""):
        """services.mail.relay by way of it."""
        host = f"{{ host: {WEB}, port: {RELAY_PORT}, {self.login()} }}"
        return f"relay: {{ {more}hosts: [ {host} ] }}"

    def login(self):
        return (f"tls: required, tls_name: mail.isp.example, tls_ca: {self.certificate}, "
                f"user: {ISP_USER}, password_file: {self.password_file}")

    def messages(self):
        """What the relay has got: [{user, tls, helo, sender, recipients, text}]"""
        found = []
        for path in sorted(glob.glob(self.folder + "/*.json")):
            with open(path, encoding="ascii") as file:
                found.append(json.load(file))
        return found

    def got(self, tag):
        return [one for one in self.messages() if f"X-Tag: {tag}\r\n" in one["text"]]


def new_tag(name):
    return f"{name}-{time.monotonic_ns()}"


def swaks(host, server, sender, to, *words, tag="none"):
    """(code of the last answer to a command, what swaks said)"""
    done = host.run(["swaks", "--server", server, "--helo", "pc.example", "--from", sender, "--to",
                     to, "--header", f"X-Tag: {tag}", "--timeout", "20", *words], timeout=40)
    codes = re.findall(r"^<[~*-]*\s+(\d\d\d) ", done.out, re.MULTILINE)
    codes = [code for code in codes if code != "221"]
    return (codes or ["000"])[-1], done.out


def send(host, server, sender, to, *words, tag):
    """Fails where the message is not taken."""
    code, said = swaks(host, server, sender, to, *words, tag=tag)
    check(code == "250", f"{to}: {said[-400:]}")


def from_outside(lab, to, tag, *words, sender="sue@else.example"):
    send(lab.internet, GATEWAY, sender, to, *words, tag=tag)


def read_by_mpop(lab, user):
    """The X-Tags of what a POP3 client by STLS gets."""
    settings, inbox = lab.scratch("mpoprc"), lab.scratch("inbox")
    with open(settings, "w", encoding="ascii") as file:
        file.write(f"""defaults
tls on
tls_starttls on
tls_certcheck off
uidls_file {inbox}.uidls
account office
host {GATEWAY_INSIDE}
user {user}
passwordeval "echo {PASSWORD}"
delivery mbox {inbox}
""")
    os.chmod(settings, 0o600)
    lab.client.must(["mpop", "-C", settings, "office"], timeout=60)
    if not os.path.exists(inbox):
        return []
    with open(inbox, encoding="utf-8", errors="surrogateescape") as file:
        return re.findall(r"^X-Tag: (.*)$", file.read(), re.MULTILINE)


def read_by_poplib(lab, user):
    """The same by another, over TLS from the first octet."""
    told = lab.client.python(f"""
        import poplib, ssl
        context = ssl._create_unverified_context()
        box = poplib.POP3_SSL("{GATEWAY_INSIDE}", context=context, timeout=20)
        box.user("{user}")
        box.pass_("{PASSWORD}")
        for number in range(1, box.stat()[0] + 1):
            for line in box.retr(number)[1]:
                if line.startswith(b"X-Tag: "):
                    print(line[7:].decode())
            box.dele(number)
        box.quit()
        """)
    return told.split()
