"""A language model that answers as it is told to, and keeps what it was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, AgentSession, APIConnectOptions, RunResult, llm
from livekit.agents.llm import ChatChunk, ChatContext, ChoiceDelta, FunctionToolCall, Tool


@dataclass(frozen=True, slots=True)
class Say:
    """Words."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A tool, with its arguments as JSON."""

    tool: str
    arguments: str = "{}"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    chat_ctx: ChatContext
    tools: Sequence[Tool]

    @property
    def instructions(self) -> str:
        """What it was told beside the conversation."""
        return "\n".join(item.text_content or "" for item in self.chat_ctx.messages() if item.role in {"system", "developer"})

    @property
    def tool_names(self) -> set[str]:
        """What it may call."""
        return {tool.id for tool in self.tools}


@dataclass
class _Script:
    turns: list[Say | Call] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)


class ScriptedLLM(llm.LLM[Any]):
    """Takes its turns in order; after the last it has nothing more to say."""

    def __init__(self, *turns: Say | Call) -> None:
        super().__init__()
        self._script = _Script([*turns])

    @property
    def asked(self) -> list[Asked]:
        """All requests, in order."""
        return self._script.asked

    def chat(
        self,
        *,
        chat_ctx: ChatContext,
        tools: list[Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        **_: Any,
    ) -> llm.LLMStream:
        """As every model of livekit-agents."""
        self._script.asked.append(Asked(chat_ctx.copy(), tools or []))
        turn = self._script.turns.pop(0) if self._script.turns else Say("")
        return _Stream(self, turn, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class _Stream(llm.LLMStream):
    def __init__(self, model: ScriptedLLM, turn: Say | Call, **given: Any) -> None:
        self._turn = turn
        super().__init__(model, **given)

    async def _run(self) -> None:
        match self._turn:
            case Say(text):
                delta = ChoiceDelta(role="assistant", content=text)
            case Call(tool, arguments):
                call = FunctionToolCall(name=tool, arguments=arguments, call_id=f"call_{tool}")
                delta = ChoiceDelta(role="assistant", tool_calls=[call])
            case _:
                assert_never(self._turn)
        self._event_ch.send_nowait(ChatChunk(id="1", delta=delta))


async def hears(session: AgentSession[Any], words: str) -> RunResult[None]:
    """What became of these words of a person."""
    result: RunResult[None] = session.run(user_input=words)
    return await result
