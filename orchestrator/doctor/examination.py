"""The checks, run beside each other as far as they do not need each other, and all of them within one time limit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from orchestrator.doctor.findings import Finding, Status, failed, skipped
from orchestrator.runtime.tasks import Tasks

Examine = Callable[[], Awaitable[Sequence[Finding]]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to examine. Several of one name (an agent each) have different subjects."""

    name: str
    examine: Examine
    needs: tuple[str, ...] = ()
    """Checks without which this one can tell nothing: it is skipped when one of them failed, or could not be made."""
    after: tuple[str, ...] = ()
    """Checks that must be over, whatever they found."""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class _Result:
    findings: Sequence[Finding]
    blocks: bool
    """Whether what needs this check is skipped."""


async def examine(checks: Sequence[Check], tasks: Tasks, *, seconds: float) -> AsyncIterator[Finding]:
    """The findings in the order of the checks, each as soon as all before it are there.

    A check names only checks that come before it. After `seconds` those that still run are cut off, and have failed.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    running: dict[str, list[asyncio.Task[_Result]]] = {}
    for check in checks:
        needed = {name: running[name] for name in check.needs}
        before = [task for name in check.after for task in running[name]]
        work = _result(check, needed, before, deadline, seconds)
        running.setdefault(check.name, []).append(tasks.spawn(f"doctor:{check.name}:{check.subject}", work))
    for task in [task for of_one_name in running.values() for task in of_one_name]:
        for finding in (await task).findings:
            yield finding


async def _result(
    check: Check,
    needed: dict[str, list[asyncio.Task[_Result]]],
    before: Sequence[asyncio.Task[_Result]],
    deadline: float,
    seconds: float,
) -> _Result:
    if before:
        await asyncio.wait(before)
    for name, ones in needed.items():
        if any([(await one).blocks for one in ones]):
            message = f"Not examined: {name} has to be right first."
            return _Result([skipped(check.name, message, subject=check.subject)], blocks=True)
    if asyncio.get_running_loop().time() >= deadline:
        return _Result([skipped(check.name, _no_time(seconds), _MORE_TIME, subject=check.subject)], blocks=True)
    try:
        async with asyncio.timeout_at(deadline):
            findings = await check.examine()
    except TimeoutError:
        findings = [failed(check.name, f"It was not over {seconds:g} s after the start.", _MORE_TIME, subject=check.subject)]
    return _Result(findings, blocks=any(finding.status is Status.FAILED for finding in findings))


_MORE_TIME = "Allow more with --timeout."


def _no_time(seconds: float) -> str:
    return f"No time was left of {seconds:g} s."
