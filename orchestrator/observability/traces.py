"""One trace per session, from the record: whoever commits a step tells it, and a successor goes on in the same trace.

Ids are made of the session's sid (or of the trace of the caller whose token made the room) and of the step's place in it.
So a worker can be told its attempt's span before that is over, and what is told twice after a crash is the same span.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from orchestrator.core.scratch import hidden
from orchestrator.core.session import Session
from orchestrator.observability.spans import Span, SpanContext, SpanSink, span_id_of, trace_id_of
from orchestrator.observability.steps import SESSION, Path, Step, attempt_path, steps_of
from orchestrator.runtime.ports import Clock, Delivered

_KNOWN: Final = 100_000
"""Sessions of which this replica remembers that it has told their steps: more than one drives."""


class MintedToken:
    """The span of one request for a token, as long as it is open."""

    def __init__(self, context: SpanContext) -> None:
        self._context = context
        self.told: dict[str, str | int | bool] = {}

    @property
    def traceparent(self) -> str:
        """What the session is given to stand under."""
        return self._context.traceparent

    def is_for(self, room: str, sid: str) -> None:
        """Tell which room it was minted for."""
        self.told |= {"rollcall.room": room, "rollcall.sid": sid}


class Traces:
    """The runtime's Observer. Beside that: what workers are told of their attempt, and the spans of minted tokens."""

    def __init__(self, sink: SpanSink, clock: Clock, chance: Callable[[int], int]) -> None:
        """`chance` gives a number of so many random bits, for the ids of what has no record."""
        self._sink = sink
        self._clock = clock
        self._chance = chance
        self._known: OrderedDict[str, None] = OrderedDict()

    def folded(self, before: Session | None, after: Session, delivered: Delivered) -> None:  # noqa: ARG002 an observer's
        """Tell the steps that this fact has finished; of a session that was taken over, all that are finished.

        Of a room in which something is tried out, and nobody is wanted, there is nothing to tell.
        """
        if hidden(after):
            return
        if self._is_new(after.sid):
            before = None
        elif before is not None and not _may_have_finished(before, after):
            return
        root = self._root(after)
        if root.sampled:
            told = {step.path for step in steps_of(before)} if before is not None else set()
            for step in steps_of(after):
                if step.path not in told:
                    self._tell(after, root, step)

    def traceparent(self, session: Session, placement: str, number: int) -> str:
        """The span of an attempt, for its worker."""
        return _at(self._root(session), session, attempt_path(placement, number)).traceparent

    def exemplar(self, session: Session) -> dict[str, str] | None:
        """What ties a sample of a metric to the session's trace; None where nobody writes it down."""
        root = self._root(session)
        return {"trace_id": f"{root.trace_id:032x}"} if root.sampled else None

    @contextmanager
    def token(self, traceparent: str | None) -> Iterator[MintedToken]:
        """A request for a token: in its caller's trace where that sends one, else in a new one."""
        caller = SpanContext.read(traceparent) if traceparent else None
        trace_id = caller.trace_id if caller is not None else self._chance(128) or 1
        sampled = self._sink.samples(trace_id, caller)
        context = SpanContext(trace_id, self._chance(64) or 1, sampled)
        minted, begun_at, error = MintedToken(context), self._clock.now(), None
        try:
            yield minted
        except Exception as failure:  # raised again: here it is only told of
            error = type(failure.__cause__ or failure).__name__
            raise
        finally:
            if sampled:
                self._sink.put(Span(context, caller, "token", begun_at, self._clock.now(), minted.told, error))

    async def close(self) -> None:
        """Let the last spans go out."""
        await self._sink.close()

    def _is_new(self, sid: str) -> bool:
        new = sid not in self._known
        self._known[sid] = None
        self._known.move_to_end(sid)
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        return new

    def _root(self, session: Session) -> SpanContext:
        caller = SpanContext.read(session.traceparent)
        trace_id = caller.trace_id if caller is not None else trace_id_of(session.sid)
        return SpanContext(trace_id, span_id_of(session.sid, SESSION), self._sink.samples(trace_id, caller))

    def _tell(self, session: Session, root: SpanContext, step: Step) -> None:
        parent = SpanContext.read(session.traceparent) if step.within is None else _at(root, session, step.within)
        attributes = {"rollcall.room": session.room, "rollcall.sid": session.sid, **step.told}
        context = _at(root, session, step.path)
        self._sink.put(Span(context, parent, step.name, step.begun_at, step.ended_at, attributes, step.error, step.moments))


def _may_have_finished(before: Session, after: Session) -> bool:
    """Whether anything has changed of which steps are made: most facts change none of it."""
    changed = before.placements is not after.placements or before.ended_at != after.ended_at or before.routed != after.routed
    return changed or before.timeline_total != after.timeline_total


def _at(root: SpanContext, session: Session, path: Path) -> SpanContext:
    return SpanContext(root.trace_id, span_id_of(session.sid, path), root.sampled)
