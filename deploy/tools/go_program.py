"""A program that the tests run and that Go builds: the one that is named or installed, else one built here, once.

It runs before anything is installed, and so needs the standard library alone.
"""

import argparse
import collections
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROGRESS_PERIOD: Final = 10.0
"""Seconds between two lines about a build."""

LAST_WORDS: Final = 15
"""How many lines of a failed build are shown."""

Say = Callable[[str], None]


class NotBuilt(Exception):
    """Go could not build the program; the message holds its last words."""


@dataclass(frozen=True, slots=True)
class GoProgram:
    """Where it comes from, and what people are told about it."""

    name: str
    """As it is called on PATH."""
    version: str
    module: str
    """The package to `go install`, without its version; its last part is what Go calls the program."""
    variable: str
    """The environment variable that names one to use instead of any other."""
    how_to_get_one: str
    build_seconds: int
    """On 2 cores, with an empty cache."""

    def find(self) -> Path | None:
        """The named one, the one on PATH, or the one that was built here before.

        Raises FileNotFoundError when the named one is not a program: falling back to another would hide the mistake.
        """
        if named := os.environ.get(self.variable):
            if program := shutil.which(named):
                return Path(program)
            message = f"{self.variable} names {named}, which is no program"
            raise FileNotFoundError(message)
        found = shutil.which(self.name) or shutil.which(self.built)
        return Path(found) if found else None

    @property
    def built(self) -> Path:
        """Where one that was built here is kept, in the user's cache."""
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(cache, "rollcall", f"{self.name}-{self.version}", self.name)

    def ensure(self, say: Say) -> Path | None:
        """Find one, or build the pinned one with Go; None, and why, when neither can be done.

        Two that want it at the same time build it once: the second waits for the first.
        """
        if found := self.find():
            say(f"{found}")
            return found
        go = shutil.which("go")
        if go is None:
            say(self.how_to_get_one)
            return None
        kept = self.built.parent.parent
        kept.mkdir(parents=True, exist_ok=True)
        with Path(kept, f".{self.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if found := self.find():
                say(f"{found}")
                return found
            say(f"building {self.version} with {go}, once, into {self.built.parent} (about {self.build_seconds} s on 2 cores)")
            try:
                return self._build(go, say)
            except NotBuilt as error:
                say(f"Go could not build it:\n{error}")
                say(self.how_to_get_one)
                return None

    def _build(self, go: str, say: Say) -> Path:
        target = self.built
        target.parent.mkdir(parents=True, exist_ok=True)
        # Built beside its place and then moved, so that an interrupted build leaves no half program to be found.
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            process = subprocess.Popen(  # noqa: S603 - the arguments are ours
                [go, "install", "-v", f"{self.module}@v{self.version}"],
                env=os.environ | {"GOBIN": folder},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            with process:
                last_words = _report(process.stderr or (), say)
            if process.returncode:
                raise NotBuilt("\n".join(last_words))
            Path(folder, self.module.rpartition("/")[2]).replace(target)
        return target

    def main(self) -> int:
        """Answer `--path` or `--build`; paths go to stdout, everything else to stderr."""
        parser = argparse.ArgumentParser(description=f"Which {self.name} to run.")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--path", action="store_true", help="print where it is")
        what.add_argument("--build", action="store_true", help="build one if there is none")
        asked = parser.parse_args()
        try:
            if asked.build:
                found = self.ensure(self._say)
                return 0 if found or os.environ.get("CI") != "true" else 1
            if found := self.find():
                print(found)
                return 0
        except FileNotFoundError as error:
            self._say(str(error))
            return 1
        self._say(self.how_to_get_one)
        return 1

    def _say(self, line: str) -> None:
        print(f"setup: {self.name}: {line}", file=sys.stderr, flush=True)


def _report(lines: Iterable[str], say: Say) -> collections.deque[str]:
    """Turn Go's line per package into a line now and then; return the last ones, which say why a build failed."""
    last_words: collections.deque[str] = collections.deque(maxlen=LAST_WORDS)
    started = reported = time.monotonic()
    compiled = 0
    for line in lines:
        last_words.append(line.rstrip())
        compiled += not line.startswith("go: ")
        now = time.monotonic()
        if now - reported >= PROGRESS_PERIOD:
            reported = now
            say(f"{now - started:3.0f} s, {compiled} packages compiled")
    return last_words
