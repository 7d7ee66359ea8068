"""Put what the pages need from npm beside their own files: livekit-client for /debug, preact and htm for the screen.

    python -m deploy.tools.pages            fetch what the lock names, and copy it; if that fails, 1 under CI=true
    python -m deploy.tools.pages --lock     write the lock anew, after another version was written into package.json

The modules for browsers are copied as npm has them, with their licences, and compressed beside them. Nothing is bundled.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = REPOSITORY / "deploy" / "page"
LOCK: Final = PACKAGE / "package-lock.json"
WEB: Final = REPOSITORY / "orchestrator" / "web"

LEFT_OUT: Final = (
    "the pages are left out: they need modules that npm brings. Install Node 18 or later with npm, and run `make setup` again"
)


@dataclass(frozen=True, slots=True)
class Copied:
    """One file, from among npm's packages to the files of a page."""

    source: str
    target: str
    imports: str | None = None
    """A package that it imports by name. A browser finds modules by address only, so it is told the one beside it."""


COPIED: Final = (
    Copied("preact/LICENSE", "screen/preact.LICENSE.txt"),
    Copied("preact/dist/preact.mjs", "screen/preact.mjs"),
    Copied("preact/hooks/dist/hooks.mjs", "screen/preact-hooks.mjs", imports="preact"),
    Copied("htm/LICENSE", "screen/htm.LICENSE.txt"),
    Copied("htm/dist/htm.mjs", "screen/htm.mjs"),
    Copied("livekit-client/LICENSE", "page/livekit-client.LICENSE.txt"),
    Copied("livekit-client/dist/livekit-client.esm.mjs", "page/livekit-client.mjs"),
)
"""The last one is what `make` looks at: a build that was cut off before it runs again."""


class NotFetched(Exception):
    """npm could not do it, or brought something else; the message says what."""


def fetch(npm: str) -> None:
    """Install what the lock names, and nothing else."""
    _run([npm, "ci"])


def copy(packages: Path, web: Path) -> None:
    """Copy the files of the packages into the folders of the pages, each module with a compressed one before it."""
    for copied in COPIED:
        content, target = (packages / copied.source).read_bytes(), web / copied.target
        if copied.imports is not None:
            content = _addressed(content, copied)
        if target.suffix == ".mjs":
            # No time in it: the same module is the same file.
            target.with_name(f"{target.name}.gz").write_bytes(gzip.compress(content, mtime=0))
        target.write_bytes(content)


def lock(npm: str) -> None:
    """Write the lock anew, without addresses: where a package asks for money is none of its business."""
    _run([npm, "install", "--package-lock-only"])
    document = json.loads(LOCK.read_text())
    for package in document["packages"].values():
        package.pop("funding", None)
    LOCK.write_text(f"{json.dumps(document, indent=2)}\n")


def _addressed(content: bytes, copied: Copied) -> bytes:
    named, addressed = f'from"{copied.imports}"'.encode(), f'from"./{copied.imports}.mjs"'.encode()
    if content.count(named) != 1:
        raise NotFetched(f"{copied.source} does not import {copied.imports} once, as it did when this was written")
    return content.replace(named, addressed)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, check=False)  # noqa: S603 - the arguments are ours
    if done.returncode:
        raise NotFetched((done.stderr or done.stdout).strip())


def _say(line: str) -> None:
    print(f"setup: pages: {line}", file=sys.stderr, flush=True)


def main() -> int:
    """Do what is asked; everything that is said goes to stderr."""
    parser = argparse.ArgumentParser(prog="python -m deploy.tools.pages", description="What the pages need from npm.")
    parser.add_argument("--lock", action="store_true", help="write package-lock.json anew")
    asked = parser.parse_args()
    npm = shutil.which("npm")
    try:
        if npm and asked.lock:
            lock(npm)
            return 0
        if npm:
            _say("livekit-client, preact and htm from npm (a few seconds)")
            fetch(npm)
            copy(PACKAGE / "node_modules", WEB)
            return 0
    except NotFetched as error:
        _say(f"npm failed:\n{error}")
    _say(LEFT_OUT)
    return 1 if asked.lock or os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
