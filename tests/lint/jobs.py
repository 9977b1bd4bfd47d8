# SPDX-License-Identifier: BSD-3-Clause
"""Runs a compiler over many files, one a core, and remembers what was clean.

A file is clean until it, or anything that it includes, or the command changes: what is remembered
is the hash of the preprocessed text and the command, as an empty file below the build directory.
"""

import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys

import source


def compile_commands(build):
    """{path below the root: (directory, [compiler and its options])} of a build."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    commands = {}
    for entry in entries:
        words = shlex.split(entry["command"])
        words = words[words.index("c++" if "c++" in words else words[0]):]
        options, skip = [], False
        for word in words:
            if skip or word in ("-MD", "-c", "-fdiagnostics-color=always", entry["file"]):
                skip = False
            elif word in ("-o", "-MF", "-MQ"):
                skip = True
            else:
                options.append(word)
        path = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
        commands[os.path.relpath(path, source.ROOT)] = (entry["directory"], options)
    return commands


def output_of(directory, command):
    """(clean, what it printed)"""
    done = subprocess.run(command, cwd=directory, text=True, errors="replace", check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode == 0, done.stdout


def digest(directory, preprocess, extra):
    """The hash of everything that a check depends on."""
    _, text = output_of(directory, preprocess)
    return hashlib.sha256("\0".join([text, extra] + preprocess).encode()).hexdigest()


def run_all(build, name, jobs, extra=""):
    """jobs: {path: (directory, preprocessing command, command)}; returns the exit code. `extra` is
    whatever else the check depends on."""
    memory = os.path.join(build, "lint", name)
    os.makedirs(memory, exist_ok=True)

    def complaints(path):
        directory, preprocess, command = jobs[path]
        stamp = os.path.join(memory, digest(directory, preprocess, extra))
        if os.path.exists(stamp):
            return ""
        clean, text = output_of(directory, command)
        if clean:
            with open(stamp, "w", encoding="utf-8"):
                return ""
        return text

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for text in pool.map(complaints, sorted(jobs)):
            if text:
                failed += 1
                print(text, file=sys.stderr)
    return 1 if failed else 0
