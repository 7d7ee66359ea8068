"""Do LiveKit's webhooks reach Rollcall? A round trip: a scratch room is made, and its room_started should arrive.

Where a service runs, it is asked whether it heard it. Where none does, doctor listens in its place for that moment.
"""

from dataclasses import dataclass
from typing import Final

from orchestrator.core.quotation import quoted
from orchestrator.doctor.findings import Finding, failed, ok, skipped
from orchestrator.doctor.listening import Listener, ListenRefused, Mishap
from orchestrator.doctor.scratch import ScratchRooms
from orchestrator.doctor.service import NoAnswer, NotAllowed, Service
from orchestrator.livekit.signature import Forgery
from orchestrator.runtime.ports import Clock, LiveKitError
from orchestrator.settings import Settings
from orchestrator.web.webhooks import PATH

NAME: Final = "webhooks"

PATIENCE: Final = 5.0
"""Seconds from the room's creation until its room_started must be here: it takes milliseconds, LiveKit's first retry 1 s."""

_LOOK: Final = 0.2
"""Seconds between two questions to the service."""

_AFTER_REFUSAL: Final = 1.0
"""Seconds for which a webhook is still waited for after the service has refused one."""

_URLS: Final = "webhook.urls in livekit.yaml (on LiveKit Cloud: the project's settings)"
_KEY: Final = (
    "Set webhook.api_key in livekit.yaml (on LiveKit Cloud: the signing key of the webhook) to LIVEKIT_API_KEY, or add the"
    " pair to keys: of rollcall.yaml."
)


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """The check, with what it needs."""

    settings: Settings
    scratch: ScratchRooms
    service: Service
    clock: Clock

    async def examine(self) -> list[Finding]:
        try:
            return [await self._by_service(self.service.url) if self.service.url else await self._by_listening()]
        except LiveKitError as error:
            return [failed(NAME, f"No scratch room could be made: {quoted(str(error))}.", "Look into LiveKit's log.")]

    # --- a service runs ---

    async def _by_service(self, url: str) -> Finding:
        refused_before = await self.service.webhooks_refused()
        refused = False
        try:
            async with self.scratch.room() as room:
                made_at = self.clock.monotonic()
                until = made_at + PATIENCE
                while self.clock.monotonic() < until:
                    if await self.service.heard_of_start(room.sid):
                        waited = self.clock.monotonic() - made_at
                        return ok(NAME, f"room_started of a scratch room reached the service at {url} in {waited:.2f} s.")
                    if not refused and await self._are_refused(refused_before):
                        refused = True
                        # Ours will be refused again when it is sent again; but it may have been a stranger's.
                        until = min(until, self.clock.monotonic() + _AFTER_REFUSAL)
                    await self.clock.sleep(_LOOK)
        except NotAllowed:
            message = f"The service at {url} does not tell us what it hears."
            return skipped(NAME, message, "Set ROLLCALL_API_TOKEN to one of its tokens of scope read.")
        except NoAnswer as error:
            return failed(NAME, f"The service at {url} could not be asked: {error}.", "Look into its log.")
        if refused:
            return _refused(url)
        message = f"room_started of a scratch room did not reach the service at {url} within {PATIENCE:g} s."
        return failed(NAME, message, _nothing_came(f"{url}{PATH}"))

    async def _are_refused(self, before: float | None) -> bool:
        """Whether this replica has refused a webhook as forged since then."""
        now = await self.service.webhooks_refused()
        return before is not None and now is not None and now > before

    # --- none runs: doctor listens ---

    async def _by_listening(self) -> Finding:
        settings = self.settings
        where = f"{settings.host}:{settings.port}"
        if settings.port == 0:
            return skipped(NAME, "The port to listen on is 0, so LiveKit cannot know it.", "Set ROLLCALL_PORT.")
        listener = Listener(settings.webhook_secrets(), self.clock, settings.webhook_token_lifetime, settings.webhook_leeway)
        try:
            async with listener.listening(settings.host, settings.port), self.scratch.room() as room:
                made_at = self.clock.monotonic()
                heard = await listener.started(room.name, within=PATIENCE)
                waited = self.clock.monotonic() - made_at
        except ListenRefused as error:
            fix = "If that is Rollcall behind another address, say where with --url; else end it, or set another port."
            return failed(NAME, f"Nobody can listen for webhooks on {where}: {error}.", fix)
        if heard:
            message = f"room_started of a scratch room came to {where} in {waited:.2f} s, signed as it should be"
            return ok(NAME, f"{message} (doctor listened, as no service runs).")
        return self._missed(listener, where, room.name)

    def _missed(self, listener: Listener, where: str, room: str) -> Finding:
        mishap = listener.mishap(room)
        if mishap is None:
            message = f"No webhook came to {where} within {PATIENCE:g} s of a room's start."
            return failed(NAME, message, _nothing_came(f"{self.settings.base_url}{PATH}"))
        if mishap.path != PATH:
            message = f"Webhooks come to the path {quoted(mishap.path)} of {where}, where nobody reads them."
            return failed(NAME, message, f"End the URL among {_URLS} with {PATH}.")
        if mishap.forgery is None:
            message = f"Webhooks come to {where}, but no room_started."
            return failed(NAME, message, "Let webhook.filter_params in livekit.yaml pass room_started, or take them out.")
        return _forged(mishap, mishap.forgery, where)


def _refused(url: str) -> Finding:
    message = f"Webhooks reach the service at {url}, and it refuses them as forged: they are signed with another key"
    return failed(NAME, f"{message}, or its clock is wrong.", _KEY)


def _nothing_came(url: str) -> str:
    return (
        f"Check that {_URLS} has {url}, as LiveKit's own machine reaches it, that no firewall is between, and that"
        " webhook.filter_params pass room_started; LiveKit's log tells of each webhook that failed."
    )


def _forged(mishap: Mishap, forgery: Forgery, where: str) -> Finding:
    match forgery:
        case Forgery.UNKNOWN_KEY:
            message = f"Webhooks come to {where}, signed with the key {quoted(mishap.key)}, which is none of ours."
            return failed(NAME, message, _KEY)
        case Forgery.SIGNATURE:
            message = f"Webhooks come to {where}, signed with another secret of the key {quoted(mishap.key)}."
            return failed(NAME, message, "Give LiveKit and Rollcall the same secret of this key.")
        case Forgery.EARLY | Forgery.EXPIRED:
            message = f"Webhooks come to {where}, signed {'in our future' if forgery is Forgery.EARLY else 'long ago'}."
            return failed(NAME, message, "Let NTP keep the clocks of both machines.")
        case Forgery.BODY:
            message = f"Webhooks come to {where}, and their bodies were changed on the way."
            return failed(NAME, message, "Let proxies pass them as they are.")
        case _:
            message = f"What comes to {where} is not signed as LiveKit signs ({forgery})."
            return failed(NAME, message, "Let proxies pass the header Authorization as it is.")
