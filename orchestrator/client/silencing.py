"""The command that keeps alerts from being told for a while."""

from collections.abc import Mapping

from rich.text import Text

from orchestrator.client.answers import read
from orchestrator.client.done import shown
from orchestrator.client.outcomes import Silence, Silences
from orchestrator.client.printing import fit, show, show_json, table, width
from orchestrator.client.service import Service
from orchestrator.client.text import NOTHING, moment, printable
from orchestrator.exits import ExitCode


def silence(service: Service, body: Mapping[str, object], *, as_json: bool) -> ExitCode:
    """Raises CommandFailed."""
    reply = service.post("silences", body=body)
    shown(reply.body, as_json, Silence, lambda s: f"{s.id}: nobody is told of {_what(s)} until {moment(s.ends_at)}.")
    return ExitCode.OK


def end(service: Service, silence_id: str, *, as_json: bool) -> ExitCode:
    """Raises CommandFailed."""
    reply = service.delete("silences", silence_id)
    shown(reply.body, as_json, Silence, lambda s: f"{s.id} has ended: what still stands of {_what(s)} is told.")
    return ExitCode.OK


def list_silences(service: Service, *, as_json: bool) -> ExitCode:
    """Raises CommandFailed."""
    body = service.get("silences")
    if as_json:
        show_json(body)
        return ExitCode.OK
    silences = read(Silences, body).silences
    if not silences:
        show(Text("There are no silences."))
        return ExitCode.OK
    made = table("ID", "STATE", "ENDS", "BY", "WHAT", "REASON")
    for one in silences:
        row = (one.id, one.state, moment(one.ends_at), printable(one.by), _what(one), printable(one.reason) or NOTHING)
        made.add_row(*row)
    show(fit(made, width(), "WHAT", "REASON"))
    return ExitCode.OK


def _what(one: Silence) -> str:
    match = one.match
    written = (("type", match.type), ("room", match.room), ("agent", match.agent), ("cause", match.cause))
    return printable(" ".join(f"{name}={','.join(values)}" for name, values in written if values is not None))
