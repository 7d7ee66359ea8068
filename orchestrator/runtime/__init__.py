"""RUNS: the asyncio side of the flow. Knows the core and its own ports, and no adapter."""
