# SPDX-License-Identifier: BSD-3-Clause
"""A log-in page as services/portal has one, played for `postern login`; it can be told to
misbehave."""

import contextlib
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

COOKIE, FORM_COOKIE = "5a" * 32, "6b" * 32
LOGIN_TOKEN, LOGOUT_TOKEN = "01" * 16, "02" * 16
PASSWORD = "correct horse & battery=1%"
FORM = f"""<form method="post" action="/login">
<input type="hidden" name="token" value="{LOGIN_TOKEN}">"""
STATE = f"""<dd id="user">anna</dd><dd id="address">192.168.1.10</dd>
<form method="post" action="/logout"><input type="hidden" name="token" value="{LOGOUT_TOKEN}">"""
REFRESH = '<meta http-equiv="refresh" content="1">\n'
LEFT = '<data id="left" value="3600">1 h 0 min</data>\n'


def answer(status, body="", *headers):
    head = [f"HTTP/1.1 {status} Word", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def wrong(text, status=403):
    return answer(status, f'<p class="trouble" role="alert">{text}</p>\n' + FORM)


def send_for_ever(piece, pause_s=0):
    """Until the other side goes, or 20 s are over."""
    def play(connection):
        end = time.monotonic() + 20
        with contextlib.suppress(OSError):
            while time.monotonic() < end:
                connection.sendall(piece)
                time.sleep(pause_s)
    return play


class Page:
    """A gateway with one account, whose page can be told to misbehave: `instead` has what is
    answered to METHOD TARGET, octets or a function of the connection."""

    def __init__(self, certificate):
        self.asked = []  # (what, cookie, fields)
        self.instead = {}
        self.state = STATE + LEFT
        self.is_in = False
        self.closes = 0  # so many connections, before TLS begins
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def url(self, host="127.0.0.1"):
        return f"https://{host}:{self.port}/"

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()

    def serve(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            plain.settimeout(20)
            if self.closes > 0:
                self.closes -= 1
                plain.close()
                continue
            with contextlib.suppress(OSError), self.context.wrap_socket(
                plain, server_side=True
            ) as connection:
                self.talk(connection)

    def talk(self, connection):
        got = b""
        while b"\r\n\r\n" not in got:
            piece = connection.recv(4096)
            if not piece:
                return
            got += piece
        head, _, body = got.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (row.split(": ", 1) for row in lines[1:])}
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(4096)
        what = " ".join(lines[0].split()[:2])
        fields = dict(urllib.parse.parse_qsl(body.decode()))
        self.asked.append((what, headers.get("cookie", ""), fields))
        told = self.instead.get(what) or self.usual(what, headers.get("cookie", ""), fields)
        if callable(told):
            told(connection)
        else:
            connection.sendall(told)

    def usual(self, what, cookie, fields):
        if what == "GET /":
            if self.is_in and cookie == "__Host-postern=" + COOKIE:
                return answer(200, self.state)
            more = "; Path=/; Secure; HttpOnly; SameSite=Strict"
            return answer(200, FORM, f"Set-Cookie: __Host-postern-form={FORM_COOKIE}{more}")
        if what == "POST /login":
            is_own = cookie == "__Host-postern-form=" + FORM_COOKIE
            if not is_own or fields.get("token") != LOGIN_TOKEN:
                return answer(403, "too old")
            if (fields["user"], fields["password"]) != ("anna", PASSWORD):
                return wrong("wrong name or password &amp; so\x1b[31m")
            self.is_in = True
            return answer(303, "", "Location: /", f"Set-Cookie: __Host-postern={COOKIE}; Path=/")
        if what == "POST /logout" and self.is_in:
            self.is_in = fields.get("token") != LOGOUT_TOKEN
            return answer(303, "", "Location: /")
        return answer(404)


def make_certificate(path, names="IP:127.0.0.1,DNS:localhost"):
    """Signed by itself, with its key; its fingerprint."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", path + ".key", "-out", path, "-days", "2", "-subj", "/CN=gateway",
         "-addext", "subjectAltName=" + names, "-addext", "basicConstraints=critical,CA:FALSE",
         "-addext", "keyUsage=critical,digitalSignature"],
        check=True, capture_output=True)
    told = subprocess.run(["openssl", "x509", "-in", path, "-noout", "-fingerprint", "-sha256"],
                          check=True, capture_output=True, text=True).stdout
    with open(path + ".key", encoding="utf-8") as key, open(path, "a", encoding="utf-8") as out:
        out.write(key.read())
    return told.strip().partition("=")[2]
