# SPDX-License-Identifier: BSD-3-Clause
"""The mail servers that ./dev bench mail compares: how each is started.

All write what they accept to the disk before they say so, into directories of their own on one file
system; none writes a log of messages, and none speaks TLS. Postfix may take messages as fast as it
can (in_flow_delay), which it does not by its own default.
"""

import os
import pwd

import results
from results import must

NAME = "mx.office.example"
USER = "anna"
PASSWORD = "bench"

MAIN = """compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = {name}
mydestination =
local_recipient_maps =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{hop}
smtp_host_lookup = native
in_flow_delay = 0
"""

MASTER = """127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""

DOVECOT = """protocols = pop3
base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/log
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:{mailboxes}/%u
mail_max_userip_connections = 100000
default_client_limit = 20000
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={mailboxes}/%u
}}
service pop3-login {{
  service_count = 0
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service pop3 {{
  process_limit = 4096
}}
"""


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def fill_mailboxes(root, users, count, octets):
    """So many messages of so many octets in each user's Maildir, for whoever runs as mail."""
    owner = pwd.getpwnam("mail")
    body = "\n".join(["x" * 70] * (octets // 71 + 1))
    for user in users:
        for folder in ("", "/tmp", "/new", "/cur"):
            os.makedirs(f"{root}/{user}{folder}", exist_ok=True)
            os.chown(f"{root}/{user}{folder}", owner.pw_uid, owner.pw_gid)
        for number in range(count):
            head = (f"From: <a@client.example>\nTo: <{user}@office.example>\n"
                    f"Subject: {number}\nMessage-ID: <{number}.{user}@client.example>\n\n")
            path = f"{root}/{user}/new/{1700000000 + number}.M{number}P1.bench"
            write(path, head + body[:octets - len(head) - 1] + "\n")
            os.chown(path, owner.pw_uid, owner.pw_gid)


class Peer:
    """What is told to a subject: its directory, its port, that of the next hop, and the users whose
    mailboxes lie there already."""

    def __init__(self, directory, port, hop=0, users=()):
        self.fill = {"directory": directory, "port": port, "hop": hop, "name": NAME,
                     "mailboxes": directory + "/mailboxes", "password": PASSWORD}
        self.directory, self.users = directory, users
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o755)

    def postfix(self):
        config = self.directory + "/etc"
        for folder in (config, self.directory + "/queue", self.directory + "/data"):
            os.mkdir(folder)
        postfix = pwd.getpwnam("postfix")
        os.chown(self.directory + "/data", postfix.pw_uid, postfix.pw_gid)
        write(config + "/main.cf", MAIN.format(**self.fill))
        write(config + "/master.cf", MASTER.format(**self.fill))
        must("postfix", "-c", config, "check")
        return ["/usr/lib/postfix/sbin/master", "-c", config, "-d"]

    def dovecot(self):
        os.makedirs(self.directory + "/run")
        os.makedirs(self.directory + "/state")
        write(self.directory + "/dovecot.conf", DOVECOT.format(**self.fill))
        return ["dovecot", "-F", "-c", self.directory + "/dovecot.conf"]

    def postern(self, program):
        command = [program, "--quiet", "--folder", self.directory, "--host", NAME,
                   "--domain", "office.example", "--user", f"postmaster:{PASSWORD}",
                   "--queue-messages", "1000000", "--queue-octets", str(64 << 30)]
        for user in self.users:
            command += ["--user", f"{user}:{PASSWORD}"]
        address = f"127.0.0.1:{self.fill['port']}"
        if self.users:
            return [*command, "--pop3", address, "--clear-passwords"]
        return [*command, "--smtp", address, "--relay", f"127.0.0.1:{self.fill['hop']}",
                "--relay-connections", "20"]

    def command(self, subject, build):
        if subject == "postern":
            return self.postern(os.path.join(build, "tests/mail/postern_mail"))
        if "/" in subject:
            return self.postern(subject)
        if subject == "postfix":
            return self.postfix()
        if subject == "dovecot":
            return self.dovecot()
        raise results.BenchFailed(f"no such subject: {subject}")
