"""The store of transcripts with a counter: how much of what was said is kept."""

from collections.abc import Sequence
from typing import Protocol

from orchestrator.core.transcript import Said
from orchestrator.observability.metrics import Metrics


class TranscriptStore(Protocol):
    """Raises StoreUnavailable."""

    async def add(self, sid: str, items: Sequence[Said]) -> bool: ...

    async def read(self, sid: str) -> tuple[Said, ...]: ...


class MeasuredTranscripts:
    """Passes every call on to another store of transcripts, and counts what it took."""

    def __init__(self, transcripts: TranscriptStore, metrics: Metrics) -> None:
        self._transcripts = transcripts
        self._metrics = metrics

    async def add(self, sid: str, items: Sequence[Said]) -> bool:
        kept = await self._transcripts.add(sid, items)
        if kept:
            self._metrics.transcript_items.inc(len(items))
        return kept

    async def read(self, sid: str) -> tuple[Said, ...]:
        return await self._transcripts.read(sid)
