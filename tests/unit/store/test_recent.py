"""Recent: a memory that forgets the oldest, and never grows."""

from __future__ import annotations

from orchestrator.store.recent import Recent


def test_the_newest_are_remembered() -> None:
    recent = Recent[str, int](2)
    for number, name in enumerate(("a", "b", "a", "c")):
        recent.put(name, number)
    assert [recent.get(name) for name in ("a", "b", "c")] == [2, None, 3]


def test_what_is_dropped_is_forgotten_once() -> None:
    recent = Recent[str, int](2)
    recent.put("a", 1)
    recent.drop("a")
    recent.drop("a")
    assert recent.get("a") is None
