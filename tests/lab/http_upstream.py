#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A web server for the tests of the proxy: http_upstream.py ADDRESS PORT

  /page...     fresh for an hour, with an entity tag
  /file/N...   the same, N bytes, and ranges of it
  /site        a page for browsers, with a script and an image
  /private...  never to be kept
Prints a line for each request: method, path, range.
"""

import http.server
import re
import sys


SITE = b"""<!doctype html><title>not run</title><p>Hello</p>
<script src="/code.js"></script><img src="/dot.gif" onload="document.title='seen ' + told">"""
CODE = b"var told = 'script and image';"
# One pixel.
DOT = bytes.fromhex("47494638396101000100800000000000ffffff2c00000000010001000002024401003b")
OF_SITE = {"/site": ("text/html", SITE), "/code.js": ("text/javascript", CODE),
           "/dot.gif": ("image/gif", DOT)}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def content(self):
        """(type, body)"""
        known = OF_SITE.get(self.path)
        if known:
            return known
        size = re.match(r"/file/(\d+)", self.path)
        if size:
            length = int(size[1])
            return "text/plain", (b"0123456789abcdef" * (length // 16 + 1))[:length]
        return "text/plain", f"{self.path} says hello\n".encode()

    def do_GET(self):
        wanted = self.headers.get("Range", "")
        print(self.command, self.path, wanted or "-", flush=True)
        kind, body = self.content()
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
        first, last = 0, len(body) - 1
        if part:
            first = int(part[1])
            last = min(int(part[2] or last), last)
        self.send_response(206 if part else 200)
        if part:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
        if self.path.startswith("/private"):
            self.send_header("Cache-Control", "no-store")
        else:
            self.send_header("Cache-Control", "max-age=3600")
            self.send_header("ETag", '"one"')
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        self.wfile.write(body[first : last + 1])

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
