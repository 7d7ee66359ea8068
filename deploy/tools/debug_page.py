"""Put livekit-client, which the debug page needs and which comes from npm, beside the page's own files.

    python -m deploy.tools.debug_page            fetch what the lock names, and copy it; if that fails, 1 under CI=true
    python -m deploy.tools.debug_page --lock     write the lock anew, after another version was written into package.json

The module for browsers is copied as npm has it, with its licence, and compressed beside it. Nothing is bundled.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = REPOSITORY / "deploy" / "page"
LOCK: Final = PACKAGE / "package-lock.json"
PAGE: Final = REPOSITORY / "orchestrator" / "web" / "page"

COPIED: Final = {"dist/livekit-client.esm.mjs": "livekit-client.mjs", "LICENSE": "livekit-client.LICENSE.txt"}
"""From the package's file to the page's."""

LEFT_OUT: Final = (
    "the debug page is left out: it needs livekit-client, which npm brings. Install Node 18 or later with npm, and run"
    " `make setup` again"
)


class NotFetched(Exception):
    """npm could not do it; the message holds its last words."""


def fetch(npm: str) -> None:
    """Install what the lock names, and nothing else."""
    _run([npm, "ci"])


def copy(package: Path, page: Path) -> None:
    """Copy the package's files into the page's folder, the compressed module first: a build that was cut off runs again."""
    sources = {package / source: page / target for source, target in COPIED.items()}
    for source, target in reversed(sources.items()):
        if target.suffix == ".mjs":
            # No time in it: the same module is the same file.
            target.with_name(f"{target.name}.gz").write_bytes(gzip.compress(source.read_bytes(), mtime=0))
        shutil.copyfile(source, target)


def lock(npm: str) -> None:
    """Write the lock anew, without addresses: where a package asks for money is none of its business."""
    _run([npm, "install", "--package-lock-only"])
    document = json.loads(LOCK.read_text())
    for package in document["packages"].values():
        package.pop("funding", None)
    LOCK.write_text(f"{json.dumps(document, indent=2)}\n")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, check=False)  # noqa: S603 - the arguments are ours
    if done.returncode:
        raise NotFetched((done.stderr or done.stdout).strip())


def _say(line: str) -> None:
    print(f"setup: debug page: {line}", file=sys.stderr, flush=True)


def main() -> int:
    """Do what is asked; everything that is said goes to stderr."""
    parser = argparse.ArgumentParser(prog="python -m deploy.tools.debug_page", description="The debug page's part from npm.")
    parser.add_argument("--lock", action="store_true", help="write package-lock.json anew")
    asked = parser.parse_args()
    npm = shutil.which("npm")
    try:
        if npm and asked.lock:
            lock(npm)
            return 0
        if npm:
            _say("livekit-client from npm (a few seconds)")
            fetch(npm)
            copy(PACKAGE / "node_modules" / "livekit-client", PAGE)
            return 0
    except NotFetched as error:
        _say(f"npm failed:\n{error}")
    _say(LEFT_OUT)
    return 1 if asked.lock or os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
