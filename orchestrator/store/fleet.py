"""Which workers have announced themselves: the runtime's Workers. Announcing is a script; looking, one trip of plain reads.

What is looked at is not of one moment: a worker may be in one of the keys already and not yet in another. Then it is
left out, and found two seconds later.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from orchestrator.contract import ANNOUNCED_FOR
from orchestrator.core.fleet import REMEMBERED, TALLIED, Announcement, Fleet, Tally, Worker
from orchestrator.runtime.ports import Announced
from orchestrator.store.connection import Command, Connection, Reply
from orchestrator.store.keys import Keys
from orchestrator.store.scripts import Script

_SHARED: Final = "workers"
_JOINED_TTL: Final = round(REMEMBERED) + 3600
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Announcement)
_TALLIES: Final = msgspec.json.Decoder(dict[str, Tally])


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """How many are taken in at once. Every replica reads all of them every two seconds."""

    of_name: int = 1_000
    workers: int = 5_000
    names: int = 1_000


class AnnouncedWorkers:
    """A worker that falls silent is forgotten by the next announcement of any other, and left out of every look before."""

    def __init__(self, connection: Connection, keys: Keys, limits: WorkerLimits) -> None:
        self._connection = connection
        self._keys = keys
        self._limits = limits
        self._announce = Script.load(_SHARED, "worker_announce")
        self._withdraw = Script.load(_SHARED, "worker_withdraw")
        self._tally = Script.load("tally")

    async def announce(self, announcement: Announcement) -> Announced:
        """Keep what a worker says of itself, for as long as one announcement counts. Raises StoreUnavailable."""
        outcome = await self._announce.run(
            self._connection,
            self._script_keys,
            (
                announcement.worker_id,
                round(ANNOUNCED_FOR * 1000),
                announcement.agent_name,
                _ENCODER.encode(announcement),
                int(announcement.has_room),
                self._keys.workers_channel,
                round(REMEMBERED * 1000),
                self._limits.of_name,
                self._limits.workers,
                self._limits.names,
            ),
        )
        return Announced(outcome.decode())

    async def withdraw(self, worker_id: str) -> None:
        await self._withdraw.run(self._connection, self._script_keys, (worker_id, round(ANNOUNCED_FOR * 1000)))

    async def look(self) -> Fleet:
        keys = self._keys
        replies = await self._connection.calls(
            ("TIME",),
            ("ZRANGE", keys.workers_seen, 0, -1, "WITHSCORES"),
            ("HGETALL", keys.worker_records),
            ("HGETALL", keys.workers_since),
            ("ZRANGE", keys.worker_names, 0, -1, "WITHSCORES"),
            ("ZRANGE", keys.joined_names, 0, -1, "WITHSCORES"),
            ("ZRANGE", keys.tallied, 0, -1, "WITHSCORES"),
            ("HGETALL", keys.tallies),
        )
        # In a thread: some thousand workers would hold up every webhook meanwhile.
        return await asyncio.to_thread(_fleet, replies)

    async def tell(self, replica: str, joined: Mapping[str, float], tallies: Mapping[str, Tally]) -> None:
        keys = self._keys
        arguments = (replica, _ENCODER.encode(tallies), round(TALLIED * 1000))
        await self._tally.run(self._connection, (keys.tallies, keys.tallied), arguments, after=self._remembering(joined))

    def _remembering(self, joined: Mapping[str, float]) -> tuple[Command, ...]:
        if not joined:
            return ()
        key = self._keys.joined_names
        scores = [part for name, at in joined.items() for part in (round(at * 1000), name)]
        return (
            ("ZADD", key, "GT", *scores),
            ("ZREMRANGEBYRANK", key, 0, -self._limits.names - 1),
            ("EXPIRE", key, _JOINED_TTL),
        )

    @property
    def _script_keys(self) -> tuple[str, ...]:
        keys = self._keys
        return (
            keys.workers_seen,
            keys.worker_records,
            keys.workers_since,
            keys.workers_by_name,
            keys.workers_with_room,
            keys.worker_names,
        )


def _fleet(replies: list[Reply]) -> Fleet:
    time, seen, records, since, names, joins, tallied, tallies = replies
    now = int(time[0]) + int(time[1]) / 1_000_000
    begun = {key.decode(): int(at) / 1000 for key, at in _pairs(since).items()}
    told = _pairs(records)
    live: defaultdict[str, list[Worker]] = defaultdict(list)
    for worker_id, seen_at in sorted(_times(seen, since=now - ANNOUNCED_FOR).items()):
        record, first = told.get(worker_id.encode()), begun.get(f"worker:{worker_id}")
        if record is not None and first is not None:
            worker = Worker(_DECODER.decode(record), first, seen_at)
            live[worker.told.agent_name].append(worker)
    return Fleet(
        at=now,
        live={name: tuple(workers) for name, workers in live.items()},
        announced=_times(names, since=now - REMEMBERED),
        since={name: at for name in live if (at := begun.get(f"name:{name}")) is not None},
        joined=_times(joins, since=now - REMEMBERED),
        tallies=_sum(_pairs(tallies), _times(tallied, since=now - TALLIED)),
    )


def _pairs(flat: list[bytes] | dict[bytes, bytes]) -> dict[bytes, bytes]:
    """A hash's fields, whether the connection has made a dictionary of them or not."""
    return flat if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2], strict=True))


def _sum(tallies: Mapping[bytes, bytes], counted: Collection[str]) -> dict[str, Tally]:
    """By agent name, of those replicas that have counted lately."""
    total: defaultdict[str, Tally] = defaultdict(Tally)
    for replica, told in tallies.items():
        if replica.decode() in counted:
            for name, tally in _TALLIES.decode(told).items():
                total[name] += tally
    return dict(total)


def _times(scored: list[bytes], *, since: float) -> dict[str, float]:
    """Members with the time that is their score, of those not older than `since`."""
    times = zip(scored[::2], scored[1::2], strict=True)
    return {name.decode(): at for name, score in times if (at := float(score) / 1000) >= since}
