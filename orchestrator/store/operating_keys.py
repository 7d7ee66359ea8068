"""The keys of what operators do and are shown: each with what ends its life."""


class OperatingKeys:
    """A part of `Keys`."""

    _prefix: str

    # --- requests: a day ---

    def request(self, key: str) -> str:
        """Present while a repetition of the request with this key is known to be one."""
        return f"{self._prefix}request:{key}"

    # --- the webhooks that came last: seven days after the last of them ---

    @property
    def webhooks_accepted(self) -> str:
        """A stream: those with a good signature, a line each; only the newest."""
        return f"{self._prefix}{{webhooks}}:accepted"

    @property
    def webhooks_refused(self) -> str:
        """A stream: the others."""
        return f"{self._prefix}{{webhooks}}:refused"

    # --- logins to the screen: twelve hours ---

    def login(self, digest: str) -> str:
        """A string: who holds the cookie with this digest is logged in."""
        return f"{self._prefix}login:{digest}"

    # --- the paused agent names: thirty days after a replica looked last ---

    @property
    def pauses(self) -> str:
        """A hash: by agent name who paused it, since when, until when and why."""
        return f"{self._prefix}pauses"

    # --- silences: a month and a day after the last one was made ---

    @property
    def silences(self) -> str:
        """A hash: each silence by its id; an ended one for a day."""
        return f"{self._prefix}silences"

    # --- canaries: eight days after the last of them; a turn until the next one is due ---

    @property
    def canaries(self) -> str:
        """A hash: by agent name what came of its last canary."""
        return f"{self._prefix}{{canaries}}:last"

    @property
    def canary_failures(self) -> str:
        """A hash: by agent name how many of its canaries have failed in a row."""
        return f"{self._prefix}{{canaries}}:failures"

    @property
    def scratch_rooms(self) -> str:
        """A hash: by name the scratch rooms that are to be gone, or to stay so; an hour after the last was made."""
        return f"{self._prefix}{{canaries}}:rooms"

    def canary_turn(self, what: str) -> str:
        """The replica that took this turn; present until the next one is due."""
        return f"{self._prefix}{{canaries}}:turn:{what}"

    # --- what operators did: ninety days after the last of it ---

    @property
    def audit(self) -> str:
        """A stream: who did what, a line each; only the newest."""
        return f"{self._prefix}audit"
