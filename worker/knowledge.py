"""What a persona can look up: texts in passages, and a search that ranks them by the words of a question (BM25)."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PASSAGE_LENGTH = 800
"""Characters: two or three paragraphs, which a model takes in at once and a person could listen to."""

_SHORT = 3
"""Letters: the s of `gas` is no plural's."""

_WORD = re.compile(r"\w+")
_HEADING = re.compile(r"#{1,6}\s+(.+?)\s*#*$")

# The usual constants of BM25: how soon a repeated word stops to count, and how much a long passage is held against it.
_K1 = 1.5
_B = 0.75


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a text that can be understood alone."""

    title: str
    """The headings that it stands under."""
    text: str


class Knowledge:
    """Passages that can be searched."""

    def __init__(self, passages: Iterable[Passage] = ()) -> None:
        self.passages = tuple(passages)
        self._counts = [Counter(words(f"{passage.title} {passage.text}")) for passage in self.passages]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._average = sum(self._lengths) / len(self._lengths) if self._lengths else 0.0
        self._spread = Counter(word for counts in self._counts for word in counts)

    def __bool__(self) -> bool:
        return bool(self.passages)

    def search(self, question: str, *, limit: int = 3) -> list[Passage]:
        """The passages that answer the question best, the best first; none if no word of it occurs."""
        asked = set(words(question))
        scored = [(self._score(asked, number), number) for number in range(len(self.passages))]
        # Among equals the order in which they were written.
        best = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: (-pair[0], pair[1]))
        return [self.passages[number] for _, number in best[:limit]]

    def _score(self, asked: set[str], number: int) -> float:
        counts, length = self._counts[number], self._lengths[number]
        total = 0.0
        for word in asked & counts.keys():
            rarity = math.log(1 + (len(self.passages) - self._spread[word] + 0.5) / (self._spread[word] + 0.5))
            often = counts[word]
            total += rarity * often * (_K1 + 1) / (often + _K1 * (1 - _B + _B * length / self._average))
        return total


def words(text: str) -> list[str]:
    """The words as they are compared: without case and accents, and without the s of a plural."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    found = _WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))
    return [word[:-1] if len(word) > _SHORT and word.endswith("s") and not word.endswith("ss") else word for word in found]


def passages_of(text: str, *, name: str) -> Iterator[Passage]:
    """The passages of a text: paragraphs, joined up to PASSAGE_LENGTH under one heading. Headings are Markdown's.

    `name` is the title of what stands before the first heading.
    """
    title, gathered = name, ""
    for paragraph in _paragraphs(text):
        heading = _HEADING.match(paragraph)
        if gathered and (heading or len(gathered) + len(paragraph) > PASSAGE_LENGTH):
            yield Passage(title, gathered)
            gathered = ""
        if heading:
            title = heading.group(1)
        else:
            gathered = f"{gathered}\n{paragraph}".strip()
    if gathered:
        yield Passage(title, gathered)


def _paragraphs(text: str) -> Iterator[str]:
    """Blank lines part paragraphs, and a heading is one by itself."""
    gathered: list[str] = []
    for line in [*text.splitlines(), ""]:
        if gathered and (not line.strip() or _HEADING.match(line)):
            yield "\n".join(gathered)
            gathered = []
        if _HEADING.match(line):
            yield line
        elif line.strip():
            gathered.append(line.strip())
