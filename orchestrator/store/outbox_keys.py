"""The keys of the outbox and of what it knows of incidents: all in one slot.

An alert is kept for a month from when it was queued, and for seven days from when its incident was resolved; the rest for a
month from its last change.
"""


class OutboxKeys:
    """A part of `Keys`."""

    _prefix: str

    def alert(self, alert_id: str) -> str:
        """A hash: the alert's body, and per sink how often it was tried."""
        return f"{self._prefix}{{outbox}}:alert:{alert_id}"

    def alerts_due(self, sink: str) -> str:
        """A sorted set: the ids of the alerts that a sink has not accepted, by when it is to be tried again."""
        return f"{self._prefix}{{outbox}}:due:{sink}"

    def alerts_again(self, sink: str) -> str:
        """A sorted set: the ids of the alerts that a sink has accepted and is to be sent again, by when."""
        return f"{self._prefix}{{outbox}}:again:{sink}"

    def alerts_held(self, sink: str) -> str:
        """A sorted set: the ids of the alerts that a silence keeps from a sink, by when that is to be looked at again."""
        return f"{self._prefix}{{outbox}}:held:{sink}"

    def gathered(self, sink: str) -> str:
        """A sorted set: the groups of a sink that groups, by when they are to be looked at."""
        return f"{self._prefix}{{outbox}}:gathered:{sink}"

    def gathered_held(self, sink: str) -> str:
        """A hash: how many incidents of each group silences keep from the sink."""
        return f"{self._prefix}{{outbox}}:gathered-held:{sink}"

    def fresh(self, sink: str, group: str) -> str:
        """A hash: the incidents of a group that fire and were not told to the sink: since when, and the room."""
        return f"{self._prefix}{{outbox}}:fresh:{sink}:{group}"

    def told(self, sink: str, group: str) -> str:
        """A sorted set: the incidents of a group that fire and were told to the sink, by since when."""
        return f"{self._prefix}{{outbox}}:told:{sink}:{group}"

    def page(self, sink: str, group: str) -> str:
        """A hash: what the sink was told of a group, and a version that each change of the three raises."""
        return f"{self._prefix}{{outbox}}:page:{sink}:{group}"

    @property
    def alerts_open(self) -> str:
        """A sorted set: the incidents that fire, by since when. The alert that told of each is kept for a month."""
        return f"{self._prefix}{{outbox}}:open"

    @property
    def alert_groups(self) -> str:
        """A set: the groups that have incidents which fire."""
        return f"{self._prefix}{{outbox}}:groups"

    def alert_group(self, group: str) -> str:
        """A sorted set: the incidents of one group that fire, by since when."""
        return f"{self._prefix}{{outbox}}:group:{group}"
