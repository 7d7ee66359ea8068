"""What the command reads is what the service writes."""

from typing import Any

import msgspec
import pytest
from pydantic import BaseModel

from orchestrator.client import answers, outcomes
from orchestrator.client.errors import CommandFailed
from orchestrator.exits import ExitCode
from orchestrator.web import agent_view, command_models, operation_models, pausing, session_view, transcripts


@pytest.mark.parametrize(
    ("read", "written"),
    [
        (answers.Session, session_view.SessionView),
        (answers.Sessions, session_view.SessionList),
        (answers.Placement, session_view.PlacementView),
        (answers.Attempt, session_view.AttemptView),
        (answers.Pulse, session_view.PulseView),
        (answers.Event, session_view.TimelineView),
        (answers.Links, session_view.LinksView),
        (answers.AgentDetail, agent_view.AgentNameDetail),
        (answers.Worker, agent_view.WorkerView),
        (answers.Counts, agent_view.SessionCounts),
        (answers.Pause, agent_view.PauseView),
        (outcomes.Taken, operation_models.TakenPlacement),
        (outcomes.Done, operation_models.TakenSession),
        (outcomes.ManyDone, operation_models.TakenSessions),
        (outcomes.Paused, pausing.PausedAgent),
        (answers.Transcript, transcripts.TranscriptView),
        (answers.Item, transcripts.ItemView),
        (outcomes.Placed, command_models.SwitchAnswer),
    ],
)
def test_every_field_that_is_read_is_written(read: Any, written: type[BaseModel]) -> None:
    shown = {field.serialization_alias or name for name, field in written.model_fields.items()}

    assert {field.encode_name for field in msgspec.structs.fields(read)} <= shown


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b"\xff"])
def test_whatever_else_answers_there_is_named_as_no_rollcall(body: bytes) -> None:
    with pytest.raises(CommandFailed, match="no answer of Rollcall") as failed:
        answers.read(answers.Session, body)

    assert failed.value.code is ExitCode.FAILED
