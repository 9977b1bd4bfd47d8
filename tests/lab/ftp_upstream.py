#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""An FTP server for the tests of the proxy: ftp_upstream.py ADDRESS PORT DIRECTORY

Anonymous reads DIRECTORY/public; user anna, password geheim, reads DIRECTORY/secret.
"""

import logging
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

logging.basicConfig(level=logging.INFO, stream=sys.stdout)
authorizer = DummyAuthorizer()
authorizer.add_anonymous(sys.argv[3] + "/public")
authorizer.add_user("anna", "geheim", sys.argv[3] + "/secret", perm="elr")
FTPHandler.authorizer = authorizer
FTPHandler.banner = "Ready."
# A lie: whoever believes it connects to the gateway itself.
FTPHandler.masquerade_address = "203.0.113.2"
FTPServer((sys.argv[1], int(sys.argv[2])), FTPHandler).serve_forever()
