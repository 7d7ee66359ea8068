"""`python -m orchestrator` is `rollcall`."""

from orchestrator.cli import main

if __name__ == "__main__":
    main()
