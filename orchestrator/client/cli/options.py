"""Options and arguments that several commands take."""

from typing import Annotated

import typer

from orchestrator.core.naming import UNNAMED

Url = Annotated[str | None, typer.Option("--url", metavar="URL", help="Where the service runs (default: ROLLCALL_URL).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Room = Annotated[str, typer.Argument(metavar="ROOM", help="The room's name, or its sid.")]
Agent = Annotated[str, typer.Argument(metavar="AGENT", help=f"The agent name; {UNNAMED} for the one without.")]
AgentOption = Annotated[str | None, typer.Option("--agent", metavar="NAME", help="This agent only.")]
State = Annotated[str | None, typer.Option(metavar="STATE", help="Only sessions in this state.")]
Cause = Annotated[str | None, typer.Option(metavar="CAUSE", help="Only sessions with this cause.")]
Age = Annotated[str | None, typer.Option(metavar="DURATION", help="Only sessions that started at least so long ago: 90s, 5m.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why, for the audit log.")]
Metadata = Annotated[str | None, typer.Option(metavar="JSON", help="The job's metadata: a JSON object, or text.")]
Wait = Annotated[
    float,
    typer.Option(min=0, max=30, metavar="SECONDS", help="Wait so long for the agent to be verified; exit code 1 if it is not."),
]
