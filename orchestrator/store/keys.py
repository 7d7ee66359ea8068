"""Every key and channel name in one place, with what ends its life.

Those of the outbox are in `outbox_keys`, those of what operators do and are shown in `operating_keys`.

All keys of one session share the hash tag `{sid}`, so that one script may touch them all, on a cluster too; the same
holds for the slots of one agent name, the indexes, the replicas and the outbox. No key is without a TTL: whoever writes
it refreshes the TTL in the same step.
"""

from typing import Final

from orchestrator.core.session import SessionState
from orchestrator.store.operating_keys import OperatingKeys
from orchestrator.store.outbox_keys import OutboxKeys

STATES: Final = tuple(SessionState)


class Keys(OutboxKeys, OperatingKeys):
    """The names under one prefix. Raises ValueError for a prefix with a brace: it would take the hash tags' place."""

    def __init__(self, prefix: str = "rollcall:") -> None:
        if "{" in prefix or "}" in prefix:
            raise ValueError(f"the prefix {prefix!r} must not hold a brace")
        self._prefix = prefix

    # --- one session: seven days after its last fact or commit, one day once it has ended ---

    def session(self, sid: str) -> str:
        """A hash: the record, its owner and epoch, how many seconds its keys are kept, and what is asked of it most.

        The latter (state, people, opened_at, heard_at, touched_at; times in ms) saves the reconciler from reading records.
        """
        return f"{self._prefix}{{{sid}}}:session"

    def inbox(self, sid: str) -> str:
        """A list: the facts that wait to be folded, oldest first."""
        return f"{self._prefix}{{{sid}}}:inbox"

    def people(self, sid: str) -> str:
        """A set: the participant sids of the people in the room."""
        return f"{self._prefix}{{{sid}}}:people"

    def early(self, sid: str) -> str:
        """A set: participant sids whose `left` came before their `joined`."""
        return f"{self._prefix}{{{sid}}}:early"

    def buried(self, sid: str) -> str:
        """Present while whatever comes of this session is ignored."""
        return f"{self._prefix}{{{sid}}}:buried"

    def transcript(self, sid: str) -> str:
        """A hash: what was said, by the id of the item; kept for as long as the service is told to."""
        return f"{self._prefix}{{{sid}}}:transcript"

    def seen(self, sid: str, event_id: str) -> str:
        """Present while a repetition of this event is known to be one."""
        return f"{self._prefix}{{{sid}}}:ev:{event_id}"

    # --- the indexes: a day longer than the longest-lived session, from the last change of any ---

    @property
    def sessions(self) -> str:
        """A sorted set: sid by started_at."""
        return f"{self._prefix}{{index}}:sessions"

    @property
    def due(self) -> str:
        """A sorted set: sid by the time from which its session is sure to have expired."""
        return f"{self._prefix}{{index}}:due"

    @property
    def names(self) -> str:
        """A sorted set: room name by the started_at of its newest session; only the newest names."""
        return f"{self._prefix}{{index}}:names"

    def name(self, room: str) -> str:
        """A sorted set: the sids of one room name by started_at; only the newest."""
        return f"{self._prefix}{{index}}:name:{room}"

    def expected(self, room: str) -> str:
        """A string, for seconds: the facts that the next session of this room's name begins with, a line each."""
        return f"{self._prefix}{{index}}:expected:{room}"

    def state(self, state: SessionState) -> str:
        """A sorted set: the sids in this state by started_at."""
        return f"{self._prefix}{{index}}:state:{state.value}"

    # --- the replicas: eight days after the last sign of any; a lease by its own TTL ---

    @property
    def replicas(self) -> str:
        """A set: the replicas that have, or had, a lease or sessions."""
        return f"{self._prefix}{{replicas}}:all"

    def lease(self, replica: str) -> str:
        """Present while the replica lives."""
        return f"{self._prefix}{{replicas}}:lease:{replica}"

    def sessions_of(self, replica: str) -> str:
        """A set: the sids that the replica may own."""
        return f"{self._prefix}{{replicas}}:sessions:{replica}"

    # --- slots: an hour after the last use ---

    def held(self, agent_name: str) -> str:
        """A sorted set: holders by the time in ms at which their slot lapses."""
        return f"{self._prefix}{{slots:{agent_name}}}:held"

    def queue(self, agent_name: str) -> str:
        """A sorted set: waiters in the order in which they are served."""
        return f"{self._prefix}{{slots:{agent_name}}}:queue"

    def asked(self, agent_name: str) -> str:
        """A sorted set: waiters by the time in ms at which they last asked."""
        return f"{self._prefix}{{slots:{agent_name}}}:asked"

    def pace(self, agent_name: str) -> str:
        """A hash: the limit, the breaker, and what they follow from."""
        return f"{self._prefix}{{slots:{agent_name}}}:pace"

    # --- the workers: 25 hours after the last announcement of any ---

    @property
    def workers_seen(self) -> str:
        """A sorted set: worker ids by the time in ms at which they announced themselves last."""
        return f"{self._prefix}{{workers}}:seen"

    @property
    def worker_records(self) -> str:
        """A hash: what each worker said last."""
        return f"{self._prefix}{{workers}}:records"

    @property
    def workers_since(self) -> str:
        """A hash: since when, in ms, each `worker:<id>` and each `name:<agent name>` has been live without a gap."""
        return f"{self._prefix}{{workers}}:since"

    @property
    def workers_by_name(self) -> str:
        """A sorted set without order: `<agent name>` NUL `<worker id>`, so that those of one name can be counted."""
        return f"{self._prefix}{{workers}}:by-name"

    @property
    def workers_with_room(self) -> str:
        """A sorted set as `workers_by_name`: those that would take a job."""
        return f"{self._prefix}{{workers}}:with-room"

    @property
    def worker_names(self) -> str:
        """A sorted set: agent names by the time in ms at which any worker announced itself under them last."""
        return f"{self._prefix}{{workers}}:names"

    @property
    def joined_names(self) -> str:
        """A sorted set: agent names by the time in ms at which an agent of theirs was verified last; only the newest."""
        return f"{self._prefix}{{workers}}:joined"

    # --- the reconciler: a round by its own length; the rest eight days after the last of its kind ---

    @property
    def round(self) -> str:
        """The replica that took the last round; present until the next one is due."""
        return f"{self._prefix}round:last"

    @property
    def round_completed(self) -> str:
        """Present once a round was completed."""
        return f"{self._prefix}round:completed"

    @property
    def hearing(self) -> str:
        """A sorted set of one member: when a webhook was heard last."""
        return f"{self._prefix}heard"

    def incident(self, kind: str) -> str:
        """The id of the open incident of this kind."""
        return f"{self._prefix}incident:{kind}"

    @property
    def incidents_open(self) -> str:
        """A set: the kinds of which an incident was opened and not closed; as long as those, from when any replica looked."""
        return f"{self._prefix}incidents"

    def complaints(self, kind: str) -> str:
        """A sorted set: the replicas that see this for themselves, by when they saw it last; an hour after any did."""
        return f"{self._prefix}complaints:{kind}"

    # --- the shares of the API budget: ten seconds after anybody asked ---

    @property
    def demands(self) -> str:
        """A hash: the calls per second that each replica wants."""
        return f"{self._prefix}{{shares}}:demands"

    @property
    def grants(self) -> str:
        """A hash: the part of the whole that each replica was given."""
        return f"{self._prefix}{{shares}}:grants"

    @property
    def askers(self) -> str:
        """A sorted set: replicas by the time in ms at which they asked for their share."""
        return f"{self._prefix}{{shares}}:askers"

    @property
    def tallies(self) -> str:
        """A hash: what each replica counts of its sessions, by agent name; a minute after any replica has counted."""
        return f"{self._prefix}{{workers}}:tallies"

    @property
    def tallied(self) -> str:
        """A sorted set: replicas by the time in ms at which they counted; as long as `tallies`."""
        return f"{self._prefix}{{workers}}:tallied"

    # --- the rest ---

    @property
    def probe(self) -> str:
        """Written to see whether writing is possible; ten seconds."""
        return f"{self._prefix}probe"

    def wake_channel(self, replica: str) -> str:
        """Carries the sids of the sessions whose owner has facts waiting."""
        return f"{self._prefix}wake:{replica}"

    @property
    def changes_channel(self) -> str:
        """Carries the sids of the sessions of which a record was written, or taken away."""
        return f"{self._prefix}changes"

    @property
    def slots_channel(self) -> str:
        """Carries the agent names of which a slot became free."""
        return f"{self._prefix}slots"

    @property
    def workers_channel(self) -> str:
        """Carries the agent names of which a worker arrived that has room."""
        return f"{self._prefix}workers"
