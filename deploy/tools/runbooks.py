"""Writes docs/runbooks/README.md and docs/reference/causes.md from the tables of the core, or checks that they are current.

python -m deploy.tools.runbooks            writes them
python -m deploy.tools.runbooks --check    fails when one is stale
"""

from collections.abc import Iterator
from typing import Final

from deploy.tools.generated import ROOT, row, write_or_check
from orchestrator.core.alerts import ABOUT, AlertType
from orchestrator.core.alerts import runbook_anchor as alert_anchor
from orchestrator.core.causes import EXPLANATIONS, Cause, fix, runbook_anchor, sentence
from orchestrator.core.runbooks import AGENT, OF_ALERTS, OF_CAUSES, Runbook

DOCUMENT: Final = ROOT / "docs" / "runbooks" / "README.md"
CAUSES: Final = ROOT / "docs" / "reference" / "causes.md"

_HEAD: Final = """# Runbooks

For whoever was woken. One section for each cause and for each alert of Rollcall itself; those of Prometheus are in
[alerts.md](../alerts.md). The same stands on `/runbook` of every service, under the same anchors: to have links in alerts lead
here, set `runbook_url` to this page.

1. **What does the alert say?** Its cause, room and agent. `rollcall explain ROOM` says the same, with the evidence and what
   happens next.
2. **How many?** `rollcall sessions --state unverified`. One room: go by its cause. Many rooms of one agent: its workers. All
   agents at once: LiveKit, the store, or the network; `rollcall doctor` tells which.
3. **Rollcall goes on trying** while people are in a room. What you mend is found within a minute, and alerts end by themselves.

The commands need `ROLLCALL_URL` and `ROLLCALL_API_TOKEN` (scope `operate`; to look, `read` will do). In them, `support-18`
stands for your room and `mary` for your agent.

Generated from `orchestrator/core` by `python -m deploy.tools.runbooks`.

# Causes
"""

_CAUSES_HEAD: Final = """# Causes

Why an attempt was not confirmed, or an agent was lost: the closed list. A cause says no more than the evidence carries; `mary`
stands for the agent. What to do is in the [runbooks](../runbooks/README.md).

Generated from `orchestrator/core/causes.py` by `python -m deploy.tools.runbooks`.

| cause | what is known | the likely fix | does another attempt help? |
|---|---|---|---|
"""


def runbooks() -> str:
    """The page of the runbooks."""
    lines = [_HEAD]
    for cause in Cause:
        explained = EXPLANATIONS[cause]
        again = "Another attempt can help; Rollcall makes it." if explained.retryable else "Another attempt cannot help."
        lines += [f"## {runbook_anchor(cause)}", "", f"`{cause}`: {sentence(cause, AGENT)}", ""]
        lines += [f"Likely fix: {fix(cause, AGENT)} {again}", "", *_steps(OF_CAUSES[cause])]
    lines += ["# Alerts", ""]
    for kind in AlertType:
        about = ABOUT[kind]
        when = "" if about.after is None else f" Told after {about.after:g} s."
        lines += [f"## {alert_anchor(kind)}", "", f"`{kind}` ({about.severity}): {about.meaning}{when}", ""]
        lines += [f"Likely fix: {about.fix}", "", *_steps(OF_ALERTS[kind])]
    return "\n".join(lines).rstrip("\n") + "\n"


def causes() -> str:
    """The reference of the causes."""
    lines = []
    for cause in Cause:
        explained = EXPLANATIONS[cause]
        link = f"[`{cause}`](../runbooks/README.md#{runbook_anchor(cause)})"
        lines.append(row(link, sentence(cause, AGENT), fix(cause, AGENT), "yes" if explained.retryable else "no"))
    return _CAUSES_HEAD + "\n".join(lines) + "\n"


def _steps(runbook: Runbook) -> Iterator[str]:
    yield from (f"**For callers.** {runbook.callers}", "")
    yield from ("**See it.**", "", "```console", *(f"$ {command}" for command in runbook.look), "```", "")
    yield from ("**Check, in this order.**", "", *(f"{n}. {step}" for n, step in enumerate(runbook.check, start=1)), "")
    yield from (f"**Fix.** {runbook.mend}", "", f"**Over when.** {runbook.over}", "", f"**Escalate.** {runbook.escalate}", "")


def main() -> int:
    tool = "deploy.tools.runbooks"
    return max(write_or_check(DOCUMENT, runbooks(), tool), write_or_check(CAUSES, causes(), tool))


if __name__ == "__main__":
    raise SystemExit(main())
