"""How fast the service is, as ratios against a baseline that is measured in the same run: `python -m tests.benchmarks`.

Nothing is asserted: a busy machine is no failure. Each module is one benchmark, `measure()` its one entry.
"""
