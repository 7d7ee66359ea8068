"""The command that plays LiveKit's part again."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.client.cli.options import Json, Url


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Recorded webhooks, one JSON a line; - for standard input.")],
    *,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Send recorded webhooks to the service, signed anew.

    Each line is the body of a webhook, or an object that has it as text under `body`. LIVEKIT_API_KEY and
    LIVEKIT_API_SECRET sign them. What the service has heard before does nothing.
    """
    from orchestrator.client.replaying import replay as replay_file
    from orchestrator.client.running import run

    raise typer.Exit(run(partial(replay_file, file=file, as_json=as_json), url))
