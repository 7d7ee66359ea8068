"""What the tests of what runs Rollcall need of this machine: skipped without it, and a failure where it must be there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest


def stop(why: str) -> None:
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)  # noqa: TID251 - the runner's word, no setting


def tool(program: str, package: str) -> str:
    """The path of a program of Debian's `package`."""
    found = shutil.which(program)
    if found is None:
        stop(f"{program} is not installed (Debian: apt-get install {package})")
    return str(found)


def go_module(version: str) -> Path:
    """The files of a Go module, fetched once: some projects publish their schemas nowhere else."""
    command = [tool("go", "golang"), "mod", "download", "-json", version]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        stop(f"{version} cannot be had: {done.stdout} {done.stderr}")
    return Path(json.loads(done.stdout)["Dir"])
