"""personas.yaml: what it may say, and what is said about a bad one."""

from pathlib import Path

import pytest

import worker
from worker.personas import Models, Provider, Tool
from worker.personas_file import PROMPTED_LENGTH, PersonasError, read_personas

WHOLE = """
default: Mary
personas:
  mary:
    instructions: You are Mary.
    greeting: Hello.
    knowledge: [shop.md, {title: Prices, text: A bell costs 9 euros.}]
    tools: [look_up, read_context, transfer, end_call]
    transfer: {tom: the workshop}
    voice: {openai: coral}
    language: en-GB
    models: {provider: openai, llm: llama, base_url: "http://127.0.0.1:1/v1", key_from: LLAMA_KEY}
    transcripts: true
  tom:
    instructions: You are Tom.
    knowledge: The workshop closes at six.
"""


def written(directory: Path, text: str) -> Path:
    file = directory / "personas.yaml"
    file.write_text(text)
    return file


def complaints(directory: Path, text: str) -> list[str]:
    """What is said about this file, without its path."""
    file = written(directory, text)
    with pytest.raises(PersonasError) as refused:
        read_personas(file)
    return [line.removeprefix(str(file)) for line in str(refused.value).splitlines()]


def test_a_whole_file_says_all_about_its_personas(tmp_path: Path) -> None:
    (tmp_path / "shop.md").write_text("# Hours\n\nFrom nine to six.")
    personas = read_personas(written(tmp_path, WHOLE))
    mary, tom = personas.all()
    assert personas.default is mary
    assert (mary.instructions, mary.greeting, mary.language, mary.transcripts) == ("You are Mary.", "Hello.", "en-GB", True)
    assert [(passage.title, passage.text) for passage in mary.knowledge.passages] == [
        ("Hours", "From nine to six."),
        ("Prices", "A bell costs 9 euros."),
    ]
    assert mary.tools == frozenset(Tool)
    assert (mary.transfer, mary.voice) == ({"tom": "the workshop"}, {Provider.OPENAI: "coral"})
    assert mary.models == Models(Provider.OPENAI, llm="llama", base_url="http://127.0.0.1:1/v1", key_from="LLAMA_KEY")
    assert (tom.greeting, tom.tools, tom.models, tom.transcripts) == (None, frozenset(), Models(), False)
    assert tom.knowledge.passages[0].text == "The workshop closes at six."


def test_what_the_readme_shows_can_be_written(tmp_path: Path) -> None:
    readme = Path(worker.__file__).with_name("README.md").read_text()
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge/shop.md").write_text("We are a shop.")
    shown = readme.split("```yaml\n")[1].split("```")[0]
    mary = read_personas(written(tmp_path, shown)).default
    assert (mary.name, mary.transfer) == ("mary", {"tom": "the workshop and its repairs"})


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ("tool: [end_call]", ":4: personas.a.tool: there is no such key: did you mean tools?"),
        (
            "tools: [endcall]",
            ":4: personas.a.tools.0: there is no endcall: use 'end_call', 'transfer', 'look_up' or 'read_context'",
        ),
        ("language: no", ":4: personas.a.language: YAML reads this as a bool: put it in quotes"),
        ("language: English", ":4: personas.a.language: not a language: write it as `en` or `de-AT`"),
        ("greeting: ''", ":4: personas.a.greeting: it is empty: write something there, or leave it out"),
        ("knowledge: [{txt: hi, text: ho}]", ":4: personas.a.knowledge.0.txt: there is no such key: did you mean text?"),
        ("voice: {opnai: x}", ":4: personas.a.voice.opnai: there is no opnai: use 'inference', 'openai', 'realtime' or 'none'"),
        ("models: {provder: openai}", ":4: personas.a.models.provder: there is no such key: did you mean provider?"),
        (
            "models: {provider: none, llm: x}",
            ":4: personas.a.models: the provider none takes no `llm`: remove it, or choose another provider",
        ),
        (
            "models: {base_url: 'http://x'}",
            ":4: personas.a.models: `base_url` goes with one provider: write which, `provider: openai` or `provider: realtime`",
        ),
        (
            "models: {provider: openai, base_url: 127.0.0.1}",
            ":4: personas.a.models.base_url: not an address: it begins with http:// or https://",
        ),
        (
            "models: {provider: openai, key_from: sk-secret}",
            ":4: personas.a.models.key_from: not the name of an environment variable: name the variable, and never write "
            "the key itself here",
        ),
        (
            "tools: [look_up]",
            ":3: personas.a: the tool `look_up` has nothing to work with: give `knowledge` (files or text to look things up "
            "in), or remove the tool",
        ),
        (
            "tools: [transfer]",
            ":3: personas.a: the tool `transfer` has nothing to work with: give `transfer` (the agents, each with what it is "
            "there for), or remove the tool",
        ),
        (
            "transfer: {tom: x}",
            ":3: personas.a: it may not transfer: add `transfer` to its `tools`, or remove `transfer`",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line_its_key_and_the_fix(tmp_path: Path, fields: str, complaint: str) -> None:
    assert complaints(tmp_path, f"default: a\npersonas:\n  a:\n    {fields}\n    instructions: You are A.\n") == [complaint]


def test_all_that_is_wrong_is_said_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    found = complaints(tmp_path, "default: a\npersonas:\n  b: {tools: [x]}\n  a: {}\nmore: 1\n")
    assert [line.split(": ")[1] for line in found] == [
        "personas.b.instructions",
        "personas.b.tools.0",
        "personas.a.instructions",
        "more",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("default: b\npersonas: {a: {instructions: x}}", ":1: default: there is no persona b: use one of a"),
        ("default: mry\npersonas: {mary: {instructions: x}}", ":1: default: there is no persona mry: did you mean mary?"),
        (
            "default: a\npersonas:\n  a: {instructions: x}\n  A: {instructions: y}",
            ":4: personas.A: another one is called so, but for the case: rename one of the two",
        ),
        (
            "default: a\npersonas:\n  a: {instructions: x}\n  a: {instructions: y}",
            ":4: `a` stands there twice: keep one of the two",
        ),
        ("default: a\npersonas:\n  17: {instructions: x}", ":3: personas.17: YAML reads this as a int: put it in quotes"),
        ("", ": the file: keys with values belong here, each on a line of its own: `key: value`"),
        ("- a", ":1: the file: keys with values belong here, each on a line of its own: `key: value`"),
        (
            "default: a\npersonas: [",
            ":2: not YAML: expected the node content, but found '<stream end>': mend it there, or in the line above",
        ),
        (
            "default: !!python/object/apply:os.getcwd []\npersonas: {}",
            ":1: not YAML: could not determine a constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.getcwd': "
            "mend it there, or in the line above",
        ),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    assert complaints(tmp_path, text) == [complaint]


def test_a_knowledge_file_is_looked_for_beside_the_personas(tmp_path: Path) -> None:
    found = complaints(tmp_path, "default: a\npersonas:\n  a:\n    instructions: x\n    knowledge:\n      - shop.md\n")
    assert found == [
        f":6: personas.a.knowledge.0: shop.md cannot be read (No such file or directory): a file's path is relative to "
        f"{tmp_path}, and text by itself is written `- text: …`"
    ]


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop.md").write_bytes(b"\xff\xfe")
    found = complaints(tmp_path, "default: a\npersonas:\n  a: {instructions: x, knowledge: [shop.md]}\n")
    assert "shop.md cannot be read (not UTF-8)" in found[0]
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"default: \xff")
    with pytest.raises(PersonasError, match="save it as UTF-8"):
        read_personas(file)


def test_more_knowledge_than_a_prompt_holds_must_be_looked_up(tmp_path: Path) -> None:
    (tmp_path / "book.md").write_text("word\n\n" * PROMPTED_LENGTH)
    text = "default: a\npersonas:\n  a: {instructions: x, knowledge: [book.md]%s}\n"
    assert "add `look_up` to its `tools`" in complaints(tmp_path, text % "")[0]
    assert read_personas(written(tmp_path, text % ", tools: [look_up]")).default.knowledge
