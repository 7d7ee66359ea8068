"""Transcripts with a counter: what was kept is counted, and what was refused is not."""

from collections.abc import Sequence

from orchestrator.core.transcript import Role, Said
from orchestrator.observability.measured_transcripts import MeasuredTranscripts
from orchestrator.observability.metrics import Metrics
from tests.unit.observability.test_metrics import samples


class Shelf:
    """Keeps what belongs to one session."""

    def __init__(self) -> None:
        self.items: tuple[Said, ...] = ()

    async def add(self, sid: str, items: Sequence[Said]) -> bool:
        if sid != "RM_1":
            return False
        self.items += tuple(items)
        return True

    async def read(self, sid: str) -> tuple[Said, ...]:
        return self.items


async def test_what_is_kept_is_counted_by_the_item() -> None:
    metrics = Metrics([], "1")
    transcripts = MeasuredTranscripts(Shelf(), metrics)
    said = [Said(str(n), "mary", Role.USER, "hello", 0.0) for n in range(3)]
    assert await transcripts.add("RM_1", said)
    assert not await transcripts.add("RM_of_nobody", said)
    assert await transcripts.read("RM_1") == tuple(said)
    assert samples(metrics, "rollcall_transcript_items_total") == {"rollcall_transcript_items_total": 3.0}
