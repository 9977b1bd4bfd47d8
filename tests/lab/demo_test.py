# SPDX-License-Identifier: BSD-3-Clause
"""The demo itself."""

import subprocess

from lab import POSTERN, check


def test_demo(lab):
    """All scenes are seen, in less than three minutes."""
    done = subprocess.run(
        [POSTERN, "lab", "demo", "--name", lab.name + "demo", "--driver", lab.driver],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    missing = [line.strip() for line in done.stdout.splitlines() if "NOT SEEN" in line]
    check(done.returncode == 0, f"status {done.returncode}: {missing} {done.stderr}")
