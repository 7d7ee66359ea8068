"""Which livekit-server the tests and the demo run: the one that is named or installed, else one built here, once.

    python -m deploy.tools.livekit_server --path     print where it is; 1 when there is none
    python -m deploy.tools.livekit_server --build    see to it that there is one; without one, 1 under CI=true

It runs before anything is installed, and so needs the standard library alone.
"""

import sys
from pathlib import Path
from typing import Final

from deploy.tools.go_program import GoProgram

VERSION: Final = "1.13.5"

VARIABLE: Final = "ROLLCALL_LIVEKIT_SERVER"
"""Names a livekit-server to use instead of any other."""

HOW_TO_GET_ONE: Final = (
    f"no livekit-server: install one (https://docs.livekit.io/home/self-hosting/local/), name one in {VARIABLE}, "
    "or install Go 1.26 and run `make setup` again"
)

PROGRAM: Final = GoProgram(
    name="livekit-server",
    version=VERSION,
    module="github.com/livekit/livekit-server/cmd/server",
    variable=VARIABLE,
    how_to_get_one=HOW_TO_GET_ONE,
    build_seconds=95,
)


def find() -> Path | None:
    """Where the livekit-server to use is. Raises FileNotFoundError when the named one is not a program."""
    return PROGRAM.find()


def main() -> int:
    """Answer `--path` or `--build`."""
    return PROGRAM.main()


if __name__ == "__main__":
    sys.exit(main())
