"""What LiveKit's API answered, and what nobody knows."""

from typing import Final

from orchestrator.core.causes import Cause
from orchestrator.core.runbooks.runbook import Runbook

REFUSED: Final[dict[Cause, Runbook]] = {
    Cause.LIVEKIT_UNAVAILABLE: Runbook(
        callers="New callers may get no agent, or cannot connect at all. Calls that have their agent go on.",
        look=("rollcall doctor --no-canary", "rollcall sessions --cause livekit_unavailable"),
        check=(
            "Does LiveKit answer? `rollcall doctor --no-canary` tries its address, name, port and TLS from where it runs.",
            "LiveKit's own health: its nodes, its Redis, its log.",
            "Does it answer 429? Then another program uses the project's quota, or `api_budget` is too high.",
        ),
        mend="Bring LiveKit back. Rollcall goes on by itself, with whatever waits.",
        over="`rollcall doctor` is well, and the sessions are verified.",
        escalate="LiveKit is down: to whoever runs it, at once; it is not Rollcall.",
    ),
    Cause.LIVEKIT_REJECTED_CREDENTIALS: Runbook(
        callers="No room gets an agent until LiveKit takes the key again. Calls that have their agent go on.",
        look=("rollcall doctor --no-canary",),
        check=(
            "`rollcall doctor` explains the 401: unknown key, wrong secret, clocks apart, or a missing right.",
            "Was a key rotated or revoked today? The order of the steps is in docs/how-to/rotate-keys.md.",
            "Compare the clocks of both machines: more than a minute apart, and LiveKit refuses every token.",
        ),
        mend="Set `LIVEKIT_API_KEY` and `LIVEKIT_API_SECRET` to a pair of this project and restart the replicas one by one.",
        over="The alert resolves within ten seconds after LiveKit has taken the key; the waiting sessions go on by themselves.",
        escalate="Nobody knows the present key: to whoever owns the LiveKit project.",
    ),
    Cause.LIVEKIT_REJECTED_REQUEST: Runbook(
        callers="Rooms of this route have no agent, and another attempt changes nothing.",
        look=("rollcall explain support-18", "rollcall config check rollcall.yaml"),
        check=(
            "What did LiveKit say? The log line `attempt_ended` of this session, and `rollcall show support-18`.",
            "Is the metadata larger than 512 KiB, or the agent name empty where a name is needed?",
            "Was LiveKit changed to an older version that does not know a field?",
        ),
        mend="Correct the agent or its metadata in rollcall.yaml, restart the replicas one by one, then "
        "`rollcall redispatch --cause livekit_rejected_request --since 1h`.",
        over="`rollcall explain support-18` says verified.",
        escalate="The configuration is right, and LiveKit refuses it: to whoever runs LiveKit, with that log line.",
    ),
    Cause.UNKNOWN: Runbook(
        callers="The caller may wait without an agent. Rollcall tries again.",
        look=("rollcall explain support-18", "rollcall show support-18"),
        check=(
            "Was the store or LiveKit away at that time? `curl -s localhost:8080/readyz`, and the log of the replicas.",
            "Was a replica killed between a call and its answer? Then the next attempt has settled it.",
            "Did all attempts wait for a slot? `awaited` in `rollcall show support-18 --json`.",
        ),
        mend="`rollcall redispatch support-18` once the store and LiveKit answer.",
        over="`rollcall explain support-18` says verified.",
        escalate="It stays unknown with everything up: report it, with the session's JSON (`rollcall show support-18 --json`).",
    ),
}
