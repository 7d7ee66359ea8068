"""A URL of apprise, as apprise reads it. The package is an extra: it is imported when an alert goes there, and not before."""

import logging
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apprise import Apprise


class NotUnderstood(ValueError):
    """Apprise knows no such service, or the URL lacks something that the service wants. The message does not show it."""


def installed() -> bool:
    return find_spec("apprise") is not None


def notifier(url: str, *, redirects: bool) -> "Apprise":
    """What sends to this URL. Raises NotUnderstood, and ImportError where apprise is not installed."""
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - an extra, and half a second to import

    logging.getLogger("apprise").disabled = True  # it would write URLs into the log, and they are secrets
    sender = Apprise(asset=AppriseAsset(app_id="Rollcall", app_desc="Rollcall", http_redirects=redirects))
    if not sender.add(url):
        raise NotUnderstood("apprise does not understand it")
    return sender
