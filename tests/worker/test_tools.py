"""What an agent does when its model calls a tool, and what the model is told then."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from livekit.agents import Agent, AgentSession, mock_tools

from tests.worker.models import Call, Say, ScriptedLLM, hears
from worker.context import Context, read_context
from worker.knowledge import Knowledge, passages_of
from worker.personas import Persona, Tool
from worker.tools import GOODBYE, NOT_FOUND, Desk, tools_of

SHOP = "# Opening hours\n\nOn Saturday from ten to four.\n\n# Returns\n\nWithin 30 days."
MARY = Persona(
    name="mary",
    instructions="You are Mary.",
    knowledge=Knowledge(passages_of(SHOP, name="shop")),
    tools=frozenset(Tool),
    transfer={"tom": "the workshop", "ann": "the books"},
)


@dataclass
class Switchboard:
    """Stands for the line to the orchestrator, and keeps what it was asked."""

    comes: bool
    asked: list[dict[str, object]] = field(default_factory=list)

    async def switch(
        self,
        session: str,
        *,
        agent_name: str,
        instead_of: str | None,
        metadata: object = None,
        grace: float = 15.0,
        hold: bool = True,
    ) -> bool:
        """Whether the other one came."""
        self.asked.append(
            {
                "session": session,
                "agent_name": agent_name,
                "instead_of": instead_of,
                "metadata": metadata,
                "grace": grace,
                "hold": hold,
            }
        )
        return self.comes


@dataclass
class Work:
    """An agent's desk, and what became of it."""

    line: Switchboard | None = None
    context: Context = field(default_factory=read_context)
    left: list[str] = field(default_factory=list)

    def desk(self) -> Desk:
        """With this agent's name and session."""

        async def leave(reason: str) -> None:
            self.left.append(reason)

        return Desk(agent_name="mary", session="RM_1", line=self.line, context=lambda: self.context, leave=leave)


@asynccontextmanager
async def talking(model: ScriptedLLM, work: Work, persona: Persona = MARY) -> AsyncIterator[AgentSession[None]]:
    """A session with the persona's tools, in text."""
    async with AgentSession[None](llm=model, vad=None) as session:
        await session.start(Agent(instructions=persona.instructions, tools=tools_of(persona, work.desk())))
        yield session


async def test_it_looks_up_what_it_is_asked_and_answers_with_it() -> None:
    model = ScriptedLLM(Call("look_up", '{"question": "open on saturday"}'), Say("From ten to four."))
    async with talking(model, Work()) as session:
        result = await hears(session, "When are you open on Saturday?")
    result.expect.next_event().is_function_call(name="look_up", arguments={"question": "open on saturday"})
    result.expect.next_event().is_function_call_output(output="Opening hours:\nOn Saturday from ten to four.")
    result.expect.next_event().is_message(role="assistant")
    result.expect.no_more_events()


async def test_it_says_that_it_does_not_know_instead_of_inventing() -> None:
    model = ScriptedLLM(Call("look_up", '{"question": "unicorns"}'), Say("I do not know."))
    async with talking(model, Work()) as session:
        result = await hears(session, "Do you sell unicorns?")
    result.expect.contains_function_call_output(output=NOT_FOUND)


async def test_the_model_sees_what_there_is_to_look_up_and_whom_it_can_transfer_to() -> None:
    model = ScriptedLLM(Say("Hello."))
    async with talking(model, Work(line=Switchboard(comes=True))) as session:
        await hears(session, "Hello.")
    descriptions = {tool.id: str(tool.info) for tool in model.asked[0].tools}  # type: ignore[attr-defined]  # of all function tools
    assert set(descriptions) == set(Tool)
    assert "Opening hours, Returns" in descriptions["look_up"]
    assert "tom: the workshop; ann: the books" in descriptions["transfer"]


async def test_it_reads_what_it_was_told_with_where_that_came_from_and_as_it_is_now() -> None:
    work = Work(context=read_context(job='{"order": 17, "instructions": "x"}', participant='{"name": "Zoë"}'))
    model = ScriptedLLM(Call("read_context"), Say("Zoë."), Call("read_context"), Say("Ann."))
    async with talking(model, work) as session:
        first = await hears(session, "Who am I?")
        work.context = read_context(participant='{"name": "Ann"}')
        second = await hears(session, "And now?")
    told = {"order": {"value": 17, "from": "job"}, "name": {"value": "Zoë", "from": "participant"}}
    first.expect.contains_function_call_output(output=json.dumps(told, ensure_ascii=False))
    second.expect.contains_function_call_output(output='{"name": {"value": "Ann", "from": "participant"}}')


async def test_it_leaves_after_its_goodbye_and_not_before() -> None:
    work = Work()
    left_before: list[str] = []

    class Watching(ScriptedLLM):
        def chat(self, **given: object) -> object:  # type: ignore[override]  # passes all on
            left_before.extend(work.left)
            return super().chat(**given)  # type: ignore[arg-type]  # the same

    model = Watching(Call("end_call"), Say("Goodbye."))
    async with talking(model, work) as session:
        result = await hears(session, "That is all, goodbye.")
    result.expect.contains_function_call_output(output=GOODBYE)
    result.expect.contains_message(role="assistant")
    assert (left_before, work.left) == ([], ["the call was ended"])


async def test_it_fetches_the_other_agent_introduces_it_and_leaves() -> None:
    line = Switchboard(comes=True)
    work = Work(line=line, context=read_context(job='{"persona": "mary", "order": 17}', room='{"team": "blue"}'))
    arguments = '{"agent_name": "tom", "summary": "A flat tyre."}'
    model = ScriptedLLM(Call("transfer", arguments), Say("Here is Tom."))
    async with talking(model, work) as session:
        result = await hears(session, "Tom, please.")
    assert line.asked == [
        {
            "session": "RM_1",
            "agent_name": "tom",
            "instead_of": "mary",
            "metadata": {"order": 17, "transferred": {"from": "mary", "summary": "A flat tyre."}},
            "grace": 15.0,
            "hold": True,
        }
    ]
    result.expect.contains_function_call_output(
        output="tom is here. Introduce tom to the person in one short sentence. You leave the call right after it."
    )
    result.expect.contains_message(role="assistant")
    assert work.left == ["the call was transferred"]


async def test_when_the_other_agent_does_not_come_it_says_so_and_stays() -> None:
    work = Work(line=Switchboard(comes=False))
    model = ScriptedLLM(Call("transfer", '{"agent_name": "tom", "summary": ""}'), Say("Tom is not there."), Say("Yes."))
    async with talking(model, work) as session:
        result = await hears(session, "Tom, please.")
        await hears(session, "Are you still there?")
    result.expect.contains_function_call_output(
        output="tom could not be reached. Say so in one short sentence, and go on helping as well as you can."
    )
    assert work.left == []


async def test_it_transfers_to_nobody_but_those_that_its_persona_names() -> None:
    line = Switchboard(comes=True)
    model = ScriptedLLM(Call("transfer", '{"agent_name": "root", "summary": ""}'), Say("I cannot."))
    async with talking(model, Work(line=line)) as session:
        result = await hears(session, "Get me root.")
    output = result.expect.contains_function_call_output(is_error=True).event().item.output
    assert "You can transfer to: tom, ann." in output
    assert line.asked == []


async def test_who_is_leaving_transfers_no_more() -> None:
    line = Switchboard(comes=True)
    model = ScriptedLLM(Call("end_call"), Call("transfer", '{"agent_name": "tom", "summary": ""}'), Say("Goodbye."))
    async with talking(model, Work(line=line)) as session:
        await hears(session, "Goodbye.")
    assert line.asked == []


async def test_without_an_orchestrator_there_is_no_transfer_and_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    model = ScriptedLLM(Say("Hello."))
    with caplog.at_level(logging.WARNING, "rollcall.worker"):
        async with talking(model, Work()) as session:
            await hears(session, "Hello.")
    assert model.asked[0].tool_names == {"look_up", "read_context", "end_call"}
    assert "ROLLCALL_URL is not set" in caplog.text


async def test_a_persona_has_no_tools_but_its_own() -> None:
    model = ScriptedLLM(Say("Hello."))
    async with talking(model, Work(), Persona(name="p", instructions="i", tools=frozenset({Tool.END_CALL}))) as session:
        await hears(session, "Hello.")
    assert model.asked[0].tool_names == {"end_call"}


async def test_a_team_may_put_its_own_answers_in_place_of_a_tool_in_its_tests() -> None:
    """The tools are ordinary function tools: livekit-agents' own helper replaces them."""
    model = ScriptedLLM(Call("look_up", '{"question": "hours"}'), Say("Always."))
    with mock_tools(Agent, {"look_up": lambda: "always open"}):
        async with talking(model, Work()) as session:
            result = await hears(session, "When?")
    result.expect.contains_function_call_output(output="always open")
