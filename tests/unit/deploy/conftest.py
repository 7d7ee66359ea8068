"""What the tests of the chart need."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.tools.helm import HELM


@pytest.fixture(scope="session")
def helm() -> Path:
    found = HELM.find()
    if found is None:
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip  # noqa: TID251 - the runner's word, no setting
        stop(HELM.how_to_get_one)
    assert found is not None
    return found
