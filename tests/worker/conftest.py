"""The agents' own tests need livekit-agents, which only their environment has.

`.venv-worker/bin/python -m pytest tests/worker` runs them.
"""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("livekit.agents") else ["test_*.py"]
