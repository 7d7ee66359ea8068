"""What holds for every test."""

import asyncio

import pytest
from hypothesis import settings

# A busy machine is no bug: pytest's timeout bounds a test as a whole. A failure prints what reproduces it.
settings.register_profile("rollcall", deadline=None, print_blob=True)
settings.load_profile("rollcall")

# pytest-asyncio remembers the current loop around each test. Without one, Python 3.11 would make one to be remembered,
# which nobody closes.
asyncio.set_event_loop(None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-causes", action="store_true", help="write docs/reference/causes-seen.md instead of comparing it")


@pytest.fixture
def write_causes(request: pytest.FixtureRequest) -> bool:
    """Whether what a cause looks like is to be written down, not compared."""
    return bool(request.config.getoption("--write-causes"))
