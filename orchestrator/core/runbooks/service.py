"""Alerts: of a room, and of the service itself."""

from typing import Final

from orchestrator.core.alerts import AlertType
from orchestrator.core.runbooks.runbook import Runbook

SERVICE: Final[dict[AlertType, Runbook]] = {
    AlertType.UNVERIFIED: Runbook(
        callers="Somebody may be in this room, with nobody who answers.",
        look=("rollcall explain support-18", "rollcall sessions --state unverified"),
        check=(
            "The cause in the alert: go to its section above.",
            "How many rooms, of which agents? `rollcall sessions --state unverified`. Many of one agent: its workers. All "
            "agents: "
            "LiveKit, or the network.",
        ),
        mend="As the cause's section says. To take it in hand yourself, and end the alert: `rollcall resolve support-18 "
        "--note TEXT`.",
        over="The alert resolves when LiveKit shows the agent in the room, or when the room ends.",
        escalate="More than ten rooms, or more than ten minutes: to the team that owns the agent.",
    ),
    AlertType.WEBHOOKS_SILENT: Runbook(
        callers="Agents come later: up to 30 s instead of under one. Nobody is without one.",
        look=("rollcall doctor --no-canary", "curl -s localhost:8080/metrics | grep rollcall_webhooks_total"),
        check=(
            "`rollcall doctor` makes a room and waits for its webhook: it tells a wrong address, key, path and filter apart.",
            'Does `rollcall_webhooks_total` count `outcome="forged"`? LiveKit signs with a key that Rollcall does not have: '
            "add it under "
            "`keys`.",
            "`webhook.urls` and `webhook.api_key` in livekit.yaml (LiveKit Cloud, assumed: Settings, Webhooks), the proxy, the "
            "firewall.",
        ),
        mend="Correct the address or the key in LiveKit, or add the key here.",
        over="The alert resolves with the first webhook of a new room.",
        escalate="LiveKit sends and nothing arrives: to whoever runs the network between them.",
    ),
    AlertType.LIVEKIT_REJECTED_CREDENTIALS: Runbook(
        callers="No new room gets an agent. Calls that have theirs go on.",
        look=("rollcall doctor --no-canary",),
        check=("As for the cause livekit_rejected_credentials, above: the pair, a rotation, the clocks.",),
        mend="Set a pair of this project and restart the replicas one by one.",
        over="It resolves within ten seconds after LiveKit has taken the key.",
        escalate="Nobody knows the present key: to whoever owns the LiveKit project.",
    ),
    AlertType.LIVEKIT_UNREACHABLE: Runbook(
        callers="New rooms get no agent; people may not be able to connect at all. Calls that have their agent go on.",
        look=("rollcall doctor --no-canary", "curl -s localhost:8080/readyz"),
        check=(
            "Can people connect? Then LiveKit runs, and only the way from Rollcall to it is broken: DNS, proxy, network "
            "policy.",
            "LiveKit's nodes and its Redis.",
            "`LIVEKIT_URL` of the replicas: was it changed?",
        ),
        mend="Bring LiveKit or the way to it back. Do not restart Rollcall for this.",
        over="It resolves with the first answered ListRooms; what waits goes on by itself.",
        escalate="At once, to whoever runs LiveKit.",
    ),
    AlertType.STORE_TROUBLE: Runbook(
        callers="New rooms get no agent while it lasts. Calls that have their agent go on. LiveKit repeats webhooks for 15 s.",
        look=("curl -s localhost:8080/readyz", "rollcall doctor --no-canary"),
        check=(
            "Is Redis up? Is its memory full (`noeviction` refuses writes), or its disk (append-only file)?",
            "A failover in progress? Wait a minute.",
            "From the replicas: name, port, TLS and password of `REDIS_URL`.",
        ),
        mend="Bring Redis back. Do not restart Rollcall, and do not delete data: what was lost meanwhile is found in LiveKit's "
        "listings.",
        over="readyz answers 200 on every replica, and each has ended its own alert.",
        escalate="Redis does not come back within five minutes: to whoever runs it.",
    ),
    AlertType.BREAKER_OPEN: Runbook(
        callers="Callers of this agent wait in a queue: one dispatch at a time is tried, since one after the other was lost.",
        look=("rollcall agents mary", "rollcall sessions --agent mary --state unverified"),
        check=(
            "Does a worker of exactly this name run, and does it take jobs? `rollcall agents mary`, and its log.",
            "Were there suddenly many rooms? LiveKit loses jobs in a burst; the queue is what prevents it.",
        ),
        mend="Start workers. To begin anew at once: `rollcall redispatch --agent mary --since 30m`.",
        over="The first agent that joins closes it; there is nothing to reset.",
        escalate="Workers are there and take no job: to the team that owns the agent.",
    ),
    AlertType.NO_WORKER_ANNOUNCED: Runbook(
        callers="None yet, if nobody calls. The next caller of this agent will have nobody.",
        look=("rollcall agents mary",),
        check=(
            "Do the workers run? A deployment, a crash, a drained node.",
            "They run and serve: then they cannot reach Rollcall. `ROLLCALL_URL` and `ROLLCALL_API_TOKEN` (scope `worker`) of "
            "the "
            "workers.",
            "The agent was taken away on purpose: take it out of rollcall.yaml.",
        ),
        mend="Start a worker with exactly this name.",
        over="It resolves with the first announcement.",
        escalate="To the team that owns the agent, when its workers cannot be started.",
    ),
    AlertType.CANARY_FAILED: Runbook(
        callers="None yet, if nobody calls. The next caller of this agent will most likely have nobody, or one that is silent.",
        look=("rollcall canary mary", "rollcall agents mary"),
        check=(
            "What is the cause? The alert names it; what to do stands under that cause on this page.",
            "Do callers get this agent? `rollcall sessions --agent mary`. If they do, the worker may refuse or break on the "
            "metadata of a canary.",
            "Since when? A release of the worker, or of its models' keys.",
        ),
        mend="As the cause says. `rollcall canary mary` shows at once whether it helped.",
        over="It resolves with the first canary that is well, the scheduled one or yours.",
        escalate="Workers are there and the canaries go on failing: to the team that owns the agent.",
    ),
    AlertType.SINK_DOWN: Runbook(
        callers="None. But alerts of other things may not reach you on that way.",
        look=("curl -s localhost:8080/readyz", "rollcall alerts test"),
        check=(
            "Which sink, and what does it answer? The alert names it; `rollcall alerts test` sends one and prints the answer.",
            "Did its address, secret or token change? Does a firewall stand between?",
        ),
        mend="Correct the receiver, or the entry under `alerts`. What waits is delivered by itself, for seven days.",
        over="It resolves when the sink has taken what waited.",
        escalate="It is the sink that wakes people: look at `rollcall sessions --state unverified` yourself until it is "
        "mended.",
    ),
    AlertType.WATCHDOG: Runbook(
        callers="None: it is a sign of life. Its absence means that nobody would be told of anything.",
        look=("curl -s localhost:8080/livez", "rollcall alerts test"),
        check=(
            "Is a replica up, and Redis? Without the store there is no Watchdog.",
            "Does the receiver (Alertmanager, dead man's switch) run?",
        ),
        mend="Start what is missing.",
        over="It comes again every minute.",
        escalate="You were woken because it stopped, and no replica starts: at once, to whoever runs the cluster.",
    ),
}
