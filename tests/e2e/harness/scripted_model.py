"""A language model of five rules. It knows nothing but what it is given: the messages of the request and the tools in it.

So when it says the right name, the name was in its instructions; when it knows the opening hours, a tool told it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.harness.utterances import Sentence

Json = dict[str, Any]

NOT_TOLD = "I do not know."
"""What it says where nothing that it was given answers the question."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says, or the tool that it calls."""

    text: str = ""
    tool: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)


def answer(messages: Sequence[Json], tools: Sequence[Json]) -> Answer:
    """The model's turn, after these messages and with these tools."""
    last = messages[-1]
    if last["role"] == "tool":
        return Answer(text=_after_tool(messages))
    if last["role"] != "user":
        return Answer(text=_as_told(messages))
    match text(last).strip():
        case Sentence.NAME:
            return Answer(text=f"My name is {name}." if (name := _name(messages)) else NOT_TOLD)
        case Sentence.HOURS:
            return _call("look_up", Sentence.HOURS, tools)
        case Sentence.TRANSFER:
            return _call("transfer", "tom", tools)
        case Sentence.GOODBYE:
            return _call("end_call", "goodbye", tools)
        case _:
            return Answer(text="I see.")


def text(message: Json) -> str:
    """The words of a message."""
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def instructions(messages: Sequence[Json]) -> str:
    """All that the model was told before and beside the conversation."""
    return "\n".join(text(message) for message in messages if message["role"] in ("system", "developer"))


def _name(messages: Sequence[Json]) -> str | None:
    found = re.search(r"(?:[Yy]ou are|[Yy]our name is) ([A-Z]\w+)", instructions(messages))
    return found.group(1) if found else None


def _as_told(messages: Sequence[Json]) -> str:
    """Asked to speak without having been spoken to: the words that the last instruction puts in quotes, or a greeting."""
    quoted = re.findall(r'"([^"]+)"', text(messages[-1]))
    return quoted[-1] if quoted else f"Hello, {_name(messages) or 'somebody'} speaking."


def _after_tool(messages: Sequence[Json]) -> str:
    """What the tool asks for; of what it tells, the sentence that has most words in common with the question."""
    result = text(messages[-1])
    if found := re.search(r"Introduce (\w+)", result):
        return f"Here is {found.group(1).capitalize()}, who goes on from here."
    if "Say goodbye" in result:
        return "Goodbye, and thank you for calling."
    asked = _words(next(text(message) for message in reversed(messages) if message["role"] == "user"))
    told = re.split(r"(?<=[.!?])\s+|\n+", result)
    return max(told, key=lambda sentence: len(_words(sentence) & asked))


def _words(sentence: str) -> set[str]:
    return set(re.findall(r"\w+", sentence.casefold()))


def _call(wanted: str, value: str, tools: Sequence[Json]) -> Answer:
    """A call of this tool: `value` where it fits, among the values that a parameter may have; NOT_TOLD without the tool."""
    function = next((tool["function"] for tool in tools if tool["function"]["name"] == wanted), None)
    if function is None:
        return Answer(text=NOT_TOLD)
    schema = function.get("parameters") or {}
    allowed = {name: schema["properties"][name].get("enum", [value]) for name in schema.get("required", ())}
    return Answer(tool=wanted, arguments={name: value if value in values else values[0] for name, values in allowed.items()})


def chunks(turn: Answer, *, identity: str, model: str) -> list[Json]:
    """The turn as OpenAI streams it: the words in halves, a call in one piece, then the reason for the end."""
    if turn.tool:
        function = {"name": turn.tool, "arguments": json.dumps(dict(turn.arguments))}
        call = {"index": 0, "id": f"call_{identity}", "type": "function", "function": function}
        deltas: list[tuple[Json, str | None]] = [({"role": "assistant", "tool_calls": [call]}, None), ({}, "tool_calls")]
    else:
        half = len(turn.text) // 2
        parts = (turn.text[:half], turn.text[half:])
        deltas = [*(({"role": "assistant", "content": part}, None) for part in parts), ({}, "stop")]
    return [
        {
            "id": identity,
            "object": "chat.completion.chunk",
            "created": 0,
            "model": model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        }
        for delta, reason in deltas
    ]
