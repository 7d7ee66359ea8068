"""Somebody took the job, and the agent did not arrive, or did not stay."""

from typing import Final

from orchestrator.core.causes import Cause
from orchestrator.core.runbooks.runbook import Runbook

_WAITING: Final = (
    "The caller waits while Rollcall tries again; after all attempts nobody answers, unless a fallback serves. One attempt a "
    "minute goes on while people are there."
)
_OVER: Final = "`rollcall explain support-18` says verified, and the alert resolves by itself."
_LOOK: Final = ("rollcall explain support-18", "rollcall show support-18")

ARRIVING: Final[dict[Cause, Runbook]] = {
    Cause.JOB_REJECTED: Runbook(
        callers=_WAITING,
        look=_LOOK,
        check=(
            "The worker's log at the time of the attempt: its request function (`on_request`) called `reject`. Why?",
            "Does it refuse all jobs, or those with certain metadata? `rollcall route test --room support-18` shows what the "
            "job "
            "is told.",
            "Does the worker use our `worker.accept`, and is `ROLLCALL_URL` of the worker this service? It rejects jobs of "
            "attempts "
            "that were replaced, which is right, and such attempts have ended before.",
        ),
        mend="Correct the request function or the metadata. A worker that is only busy rejects with `terminate=False`, so that "
        "another one is asked.",
        over=_OVER,
        escalate="To the team that owns the agent, with the job id of `rollcall show support-18`.",
    ),
    Cause.JOB_FAILED: Runbook(
        callers=_WAITING,
        look=_LOOK,
        check=(
            "The worker's log, by the job id that `rollcall show support-18` names: the error stands there.",
            "Since when? `rollcall sessions --cause job_failed` against the last deployment of the agent.",
        ),
        mend="Roll the agent back, or correct what its log names (a key, a model, an address).",
        over=_OVER,
        escalate="To the team that owns the agent, with the job id.",
    ),
    Cause.NEVER_JOINED: Runbook(
        callers=_WAITING,
        look=_LOOK,
        check=(
            "The worker's log, by the job id that `rollcall show support-18` names. An error: the entrypoint raised or its "
            "process "
            "died. Nothing: it never called `ctx.connect()`.",
            "Does it come too late? A first start that loads models may need longer than `join_window` (15 s): `rollcall show` "
            "lists agents that joined after their attempt.",
            "Is the worker's machine out of memory or CPU? Jobs wait for a process.",
        ),
        mend="Roll the agent back, or correct the error. If it is only slow: keep processes waiting (`num_idle_processes`), or "
        "set a longer `join_window` in its policy.",
        over=_OVER,
        escalate="To the team that owns the agent, with the job id.",
    ),
    Cause.CONNECTION_ABORTED: Runbook(
        callers=_WAITING,
        look=_LOOK,
        check=(
            "Do callers hear each other? If nobody's media connects it is LiveKit or its network, not the agent.",
            "From the worker's machine: LiveKit's UDP port range, its TCP port and TURN. A firewall or network policy that "
            "changed?",
            "`node_ip` and `use_external_ip` of LiveKit: the address that it tells must be one that the worker reaches.",
        ),
        mend="Open the ports, or correct the address. Then `rollcall redispatch support-18`.",
        over=_OVER,
        escalate="Media fails for people, too: to whoever runs LiveKit, at once.",
    ),
    Cause.JOINED_THEN_LEFT: Runbook(
        callers="The caller may have heard a click: the agent came and went within seconds. Rollcall sends it again.",
        look=_LOOK,
        check=(
            "The worker's log for this job: its entrypoint returned or raised right after it connected. A missing model key "
            "is the "
            "usual reason.",
            "Does the agent end calls by a rule (a full conversation, a blocked number)? Then it should say so: "
            "`rollcall.done`, or `await roll.done()`.",
        ),
        mend="Correct the entrypoint, or the key of the model. Then `rollcall redispatch support-18`.",
        over=_OVER,
        escalate="To the team that owns the agent, with the job id.",
    ),
}
