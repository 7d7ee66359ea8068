"""How long things take in LiveKit, in seconds, as seen on livekit-server 1.13.5 unless said otherwise."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Every number of the sandbox. A pair is a range from which one is drawn."""

    # the API
    travel: float = 0.0005
    """A call's way to the server, and its answer's way back."""
    no_response: float = 3.0
    """Until LiveKit says 503 "no response from servers": nobody on its message bus took the question."""
    hang: float = 3600.0
    """Until a call that hangs breaks: longer than any caller's patience."""
    rpc_answer: float = 0.002
    """An agent's answer to a PerformRpc."""
    rpc_timeout: float = 10.0
    """Of a PerformRpc that names none (source)."""

    # dispatching
    job_rpc: float = 3.0
    """The whole question to the workers who takes a job; a worker that needs longer loses it."""
    names_known: float = 60.0
    """How long the server remembers which agent names have workers."""
    names_check: float = 5.0
    """How long it collects the answers when it does not remember; jobs are listed at the end of it."""
    twins: float = 0.005
    """Two CreateDispatch in one room within this may lose the second one."""
    twin_loss: float = 0.5
    """A guess at how often they do: seen, not counted."""
    late_joiner: tuple[float, float] = (3.0, 20.0)
    """When the agent of a job joins that was never listed."""

    # agents
    connecting: float = 0.02
    """JOINING until ACTIVE; the last part of an agent's start."""
    dead: float = 21.4
    """A participant whose process was killed stays ACTIVE for so long."""
    goodbye: float = 4.0
    """From DeleteDispatch until a live agent leaves by itself."""
    terminate: float = 3.0
    """From DeleteDispatch until LiveKit itself removes an agent that does not react (source)."""

    # workers
    registration: tuple[float, float] = (5.0, 9.0)
    """From a worker's start until it can take jobs."""
    reconnection: tuple[float, float] = (0.5, 2.5)
    """From the server's start until a living worker has registered again."""
    starting_jobs: int = 20
    """Starting so many jobs at once makes a worker full, whatever its capacity: of a burst of 50 rooms, 21 were served."""

    # rooms
    idle_check: float = 1.0
    """How often the server looks for rooms to end (source)."""

    # webhooks
    retries: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)
    queue_age: float = 30.0
    queue_length: int = 200
