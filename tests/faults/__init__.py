"""Real faults: three replicas, Redis, LiveKit and workers as processes, killed, stopped and cut off while rooms need agents.

What is judged is what LiveKit lists, what the workers' own logs say, and what an agent answers when the test itself asks
it. What Rollcall says of itself is compared with that at the end, and decides nothing.
"""
