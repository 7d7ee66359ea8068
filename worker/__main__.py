"""`python -m worker [options]` is `python -m livekit.agents start worker/main.py [options]`, from any directory."""

import sys
from pathlib import Path

from livekit.agents.__main__ import main

# Job processes import this module again, as the main module of their parent.
if __name__ == "__main__":
    sys.exit(main(["start", str(Path(__file__).with_name("main.py")), *sys.argv[1:]]))
