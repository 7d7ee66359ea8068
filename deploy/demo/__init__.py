"""The demo: a real LiveKit, the service, a worker and a client on this machine, and the story of one session.

`python -m deploy.demo` runs until Ctrl-C, which leaves nothing behind. With `--once` it ends by itself after the
verdict, with 1 unless the agent was verified.
"""
