"""What the tests of the chart need."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def helm() -> Path:
    """The Helm of the environment that runs the tests, where there is one for this machine; else the one on PATH."""
    found = shutil.which("helm", path=Path(sys.executable).parent) or shutil.which("helm")
    if found is None:
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip  # noqa: TID251 - the runner's word, no setting
        stop("no helm on PATH: https://helm.sh/docs/intro/install/")
    return Path(found)
