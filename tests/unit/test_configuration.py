"""rollcall.yaml: what it means, and that whatever is wrong with it is said with line, path and fix."""

import json
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from textwrap import dedent

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.configuration.problems import ConfigurationError, Problem
from orchestrator.core.fleet import Announcement, Fleet, Worker
from orchestrator.core.policy import OnLeave, Policy
from orchestrator.core.proof import Proof
from orchestrator.settings import Configuration, load_configuration

# What people may write where something else is meant: words of the schema, in all shapes.
WORDS = st.sampled_from(
    ["mary", "tom", "agent", "agents", "metadata", "policy", "fallback", "room", "webhook", "secret", "{a", "[", ""]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)

EXAMPLE = Path(__file__).parents[2] / "deploy" / "rollcall.yaml"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration file, which messages call `rollcall.yaml`."""
    monkeypatch.chdir(tmp_path)
    return Path("rollcall.yaml")


def accepted(file: Path, text: str) -> tuple[Configuration, list[str]]:
    """The configuration, and its warnings."""
    file.write_text(dedent(text), encoding="utf-8")
    configuration, problems = load_configuration(file)
    return configuration, [str(problem) for problem in problems]


def refused(file: Path, text: str) -> tuple[Problem, ...]:
    """What is wrong with it."""
    file.write_text(dedent(text), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(file)
    return caught.value.problems


def only(problems: tuple[Problem, ...]) -> str:
    [problem] = problems
    return str(problem)


# --- what it means -----------------------------------------------------------------------------------------------------


def test_the_example_is_valid_and_gives_no_warning() -> None:
    configuration, problems = load_configuration(EXAMPLE)

    assert problems == ()
    placements = configuration.compiled_routes.route("support-acme-17", "").placements
    assert [placement.agent_name for placement in placements] == ["mary", "notetaker"]


def test_metadata_is_the_agents_the_routes_and_the_entrys_laid_over_each_other(file: Path) -> None:
    configuration, _ = accepted(
        file,
        """
        agents:
          mary: {metadata: {from: agent, a: 1, deep: {x: 1}}, fallback: [tom]}
          tom: {metadata: {from: tom, t: 1}}
        routes:
          - room: "support-{team}-*"
            metadata: {from: route, r: "{team} of {room}", deep: {y: 2}}
            agents: [{agent: mary, metadata: {from: entry, "n": [1, 1.5, true, null, 2024-01-01]}}]
        """,
    )

    [placement] = configuration.compiled_routes.route("support-acme-1", "").placements
    mary, tom = (json.loads(candidate.metadata) for candidate in placement.candidates)

    over = {"from": "entry", "r": "acme of support-acme-1", "deep": {"y": 2}, "n": [1, 1.5, True, None, "2024-01-01"]}
    assert mary == {"a": 1, **over}
    assert tom == {"t": 1, **over}


def test_a_policy_says_what_differs_from_the_settings_of_the_same_names(file: Path) -> None:
    configuration, _ = accepted(
        file,
        """
        join_window: 20s
        keep_trying: 0s
        agents:
          mary: {policy: {attempts: 2, deadline: 1.5m, verify_at: answering, on_leave: ignore, accept_window: 0s}}
          tom:
        routes:
          - agents: [mary, tom]
            priority: 5
        """,
    )

    mary, tom = configuration.compiled_routes.route("r", "").placements

    assert mary.policy == Policy(
        attempts=2,
        accept_window=0.0,
        join_window=20.0,
        deadline=90.0,
        verify_at=Proof.ANSWERING,
        on_leave=OnLeave.IGNORE,
        keep_trying=0.0,
    )
    assert tom.policy == Policy(join_window=20.0, keep_trying=0.0)
    assert (mary.priority, tom.priority) == (5, 5)


def test_the_empty_name_is_nameless_dispatch(file: Path) -> None:
    configuration, _ = accepted(file, 'agents: {"": {}}\nroutes: [{agents: [""]}]')

    assert configuration.compiled_routes.route("r", "").placements[0].agent_name == ""


def test_a_route_may_want_nobody(file: Path) -> None:
    configuration, warnings = accepted(file, "routes: [{agents: []}]")

    assert configuration.compiled_routes.route("r", "").placements == ()
    assert warnings == []


# --- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("agents: [", "rollcall.yaml:1: It is no YAML: expected the node content, but found '<stream end>'. "),
        ("- a", "rollcall.yaml:1: It must consist of keys with values. "),
        ("a: 1\nport: 1\na: 2", 'rollcall.yaml:3: "a" is there twice, first on line 1. Keep one of them.'),
        ("agents:\n  no: {}", "rollcall.yaml:2: agents: A key must be text, and YAML takes no for something else. "),
        ("a: &a [*a]", "rollcall.yaml:1: a[0][0]: It is nested deeper than 50 levels. Flatten it."),
        ('a: "b\nc: d\n', "rollcall.yaml:1: A quote is opened here and never closed. Close it."),
        ("a:\n\tb: 1", "rollcall.yaml:2: A tab stands here, and YAML knows only spaces. Indent with spaces."),
        ("a:\n  b: 1\n c: 1", "rollcall.yaml:3: It is indented otherwise than the lines that it belongs to. "),
        ("a: 1\n---\na: 1", "rollcall.yaml:2: A second document begins here. Keep one of them in the file."),
        ("a: " + "9" * 5_000, "rollcall.yaml: It is no YAML that can be read: "),
        ("a: \x07", "rollcall.yaml: It is no YAML that can be read: "),
    ],
)
def test_a_file_that_says_nothing_clearly_is_refused_with_its_line(file: Path, text: str, message: str) -> None:
    assert only(refused(file, text)).startswith(message)


def test_a_file_that_is_not_there_is_refused(file: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"rollcall\.yaml: There is no such file\."):
        load_configuration(file)


def test_an_unknown_key_is_refused_with_the_one_that_is_meant(file: Path) -> None:
    text = """
        pulse_perod: 3s
        agents:
          mary:
            policy: {atempts: 3}
        routes:
          - agents:
              - {agnt: mary, agent: mary}
            rom: "x"
    """

    assert {str(problem) for problem in refused(file, text)} == {
        'rollcall.yaml:2: pulse_perod: There is no setting "pulse_perod" here. Did you mean "pulse_period"?',
        'rollcall.yaml:5: agents.mary.policy.atempts: There is no setting "atempts" here. Did you mean "attempts"?',
        'rollcall.yaml:8: routes[0].agents[0].agnt: There is no setting "agnt" here. Did you mean "agent"?',
        'rollcall.yaml:9: routes[0].rom: There is no setting "rom" here. Did you mean "room"?',
    }


def test_a_word_of_a_closed_list_is_refused_with_the_one_that_is_meant(file: Path) -> None:
    text = """
        alerts:
          - alertmanager: {url: "http://alertmanager:9093"}
            match: {cause: not_takn}
            severity: critcal
        alert_policy:
          unverfied: {after: 5m}
    """

    assert {str(problem) for problem in refused(file, text)} == {
        'rollcall.yaml:4: alerts[0].match.cause[0]: There is no such word here. Did you mean "not_taken"?',
        "rollcall.yaml:5: alerts[0].severity: It must be 'critical', 'warning' or 'info'. Did you mean \"critical\"?",
        'rollcall.yaml:7: alert_policy.unverfied: There is no setting "unverfied" here. Did you mean "unverified"?',
    }


def test_a_name_that_does_not_exist_is_refused_with_the_one_that_is_meant(file: Path) -> None:
    text = """
        agents:
          mary:
            fallback: [tim]
          tom: {}
        routes:
          - agents:
              - tom
              - marry
          - agents: [zoe]
    """

    assert [str(problem) for problem in refused(file, text)] == [
        'rollcall.yaml:4: agents.mary.fallback[0]: There is no agent "tim". Did you mean "tom"?',
        'rollcall.yaml:9: routes[0].agents[1]: There is no agent "marry". Did you mean "mary"?',
        'rollcall.yaml:10: routes[1].agents[0]: There is no agent "zoe". '
        'Add it under agents:, or name one of those that are there: "mary", "tom".',
    ]


def test_canaries_are_sent_of_all_agents_or_of_those_that_are_named(file: Path) -> None:
    agents = "agents: {mary: {}, tom: {}}\nroutes: [{agents: [mary]}]\n"
    assert accepted(file, agents)[0].canary is None
    canary = accepted(file, agents + "canary: {}")[0].canary
    assert canary is not None
    assert (canary.every, canary.after, canary.scheduled(["mary", "tom"])) == (300.0, 2, ("mary", "tom"))
    named = accepted(file, agents + "canary: {every: 90s, agents: [tom, tom], after: 1}")[0].canary
    assert named is not None
    assert (named.every, named.after, named.scheduled(["mary", "tom"])) == (90.0, 1, ("tom",))


@pytest.mark.parametrize(
    ("canary", "message"),
    [
        ("{agents: [marry]}", 'canary.agents[0]: There is no agent "marry". Did you mean "mary"?'),
        ("{every: 5s}", "canary.every: It must be at least 10 s."),
        ("{every: 0s}", "canary.every: It must be more than 0: it cannot be switched off."),
        ("{after: 0}", "canary.after: It must be greater than or equal to 1."),
    ],
)
def test_a_canary_that_cannot_be_sent_is_refused(file: Path, canary: str, message: str) -> None:
    text = f"agents: {{mary: {{}}}}\nroutes: [{{agents: [mary]}}]\ncanary: {canary}\n"
    assert [str(problem) for problem in refused(file, text)] == [f"rollcall.yaml:3: {message}"]


def test_of_several_agents_one_is_placed_with_its_own_metadata_and_policy_and_the_others_behind_it(file: Path) -> None:
    configuration, warnings = accepted(
        file,
        """
        agents:
          mary: {metadata: {persona: mary}, policy: {attempts: 2}, fallback: [ann]}
          tom: {metadata: {persona: tom}, policy: {attempts: 3}}
          ann:
        routes:
          - agents: [{any: [mary, tom], capabilities: [es, de], region: eu, metadata: {a: 1}}, ann]
        """,
    )
    tom = Worker(Announcement("w1", "tom", region="eu", capabilities=("de", "es")), 0.0, 1.0)

    written = configuration.compiled_routes.route("r", "").placements
    announced = configuration.compiled_routes.route("r", "", Fleet(at=1.0, live={"tom": (tom,)})).placements

    assert warnings == []
    assert [[c.agent_name for c in placement.candidates] for placement in written] == [["mary", "tom"], ["ann"]]
    assert [[c.agent_name for c in placement.candidates] for placement in announced] == [["tom", "mary"], ["ann"]]
    assert [written[0].policy.attempts, announced[0].policy.attempts] == [2, 3]
    assert announced[0].candidates[0].metadata == '{"persona":"tom","a":1}'


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{any: [mary, tim]}", 'routes[0].agents[0].any[1]: There is no agent "tim". Did you mean "tom"?'),
        ("{any: [mary, tom, mary]}", 'routes[0].agents[0]: "mary" would be twice in one room: as agents[0] and as agents[0].'),
        ("{any: []}", "routes[0].agents[0].any: It is empty."),
        ("{any: mary}", "routes[0].agents[0].any: It must be a list."),
        ("{any: [mary], agent: tom}", "routes[0].agents[0].any: It has both agent and any. Keep one of them."),
        ("{metadata: {a: 1}}", "routes[0].agents[0]: It names no agent. Write agent: mary."),
        (
            "{agent: mary, capabilities: [es]}",
            "routes[0].agents[0].capabilities: It chooses between several, and there is one.",
        ),
        ("{agent: mary, region: eu}", "routes[0].agents[0].region: It chooses between several, and there is one."),
        ('{any: [mary], capabilities: [""]}', "routes[0].agents[0].capabilities[0]: It is empty."),
        ("{any: [mary], capabilitys: [es]}", 'There is no setting "capabilitys" here. Did you mean "capabilities"?'),
    ],
)
def test_a_choice_that_cannot_be_meant_is_refused(file: Path, entry: str, message: str) -> None:
    assert message in only(refused(file, f"agents: {{mary: , tom: }}\nroutes:\n  - agents:\n      - {entry}"))


def test_one_name_in_two_entries_is_refused_choices_included(file: Path) -> None:
    text = "agents: {mary: , tom: , ann: {fallback: [tom]}}\nroutes: [{agents: [ann, {any: [mary, tom]}]}]"

    assert '"tom" would be twice in one room: as a fallback of agents[0] and as agents[1].' in only(refused(file, text))


@pytest.mark.parametrize(
    ("agents", "message"),
    [
        ("a: {fallback: [a]}", '"a" is its own fallback.'),
        ("a: {fallback: [b]}, b: {fallback: [a]}", "The fallbacks go round in a circle: a -> b -> a."),
        ("z: {fallback: [a]}, a: {fallback: [b]}, b: {fallback: [c]}, c: {fallback: [a]}", "a -> b -> c -> a."),
    ],
)
def test_fallbacks_that_lead_back_are_refused(file: Path, agents: str, message: str) -> None:
    assert message in only(refused(file, f"agents: {{{agents}}}\nroutes: [{{agents: []}}]"))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("[mary, mary]", '"mary" would be twice in one room: as agents[0] and as agents[1].'),
        ("[mary, {agent: mary}]", '"mary" would be twice in one room: as agents[0] and as agents[1].'),
        ("[ann, tom]", '"tom" would be twice in one room: as a fallback of agents[0] and as agents[1].'),
        ("[ann, bob]", '"tom" would be twice in one room: as a fallback of agents[0] and as a fallback of agents[1].'),
    ],
)
def test_one_name_twice_in_one_room_is_refused_fallbacks_included(file: Path, wanted: str, message: str) -> None:
    text = f"agents: {{mary: , tom: , ann: {{fallback: [tom]}}, bob: {{fallback: [tom]}}}}\nroutes: [{{agents: {wanted}}}]"

    assert only(refused(file, text)) == (
        f"rollcall.yaml:2: routes[0].agents[1]: {message} Name each agent once, fallbacks included."
    )


def test_a_part_that_the_route_does_not_bind_is_refused_where_it_is_used(file: Path) -> None:
    text = """
        agents:
          mary:
            metadata: {a: "{team}"}
            fallback: [tom]
          tom:
            metadata: {b: "{taem}", c: "{room}"}
        routes:
          - room: "support-{team}"
            agents: [mary]
          - room_regex: "(?P<kind>.*)"
            metadata: {d: "{knd}"}
            agents: [{agent: mary, metadata: {a: 1, b: ["{team}"]}}]
    """

    assert [str(problem) for problem in refused(file, text)] == [
        'rollcall.yaml:7: agents.tom.metadata.b: It uses {taem}, which routes[0] room "support-{team}" does not bind. '
        'Did you mean "team"? For the braces themselves write {{taem}}.',
        'rollcall.yaml:12: routes[1].metadata.d: It uses {knd}, which routes[1] room_regex "(?P<kind>.*)" does not bind. '
        'Did you mean "kind"? For the braces themselves write {{knd}}.',
        'rollcall.yaml:13: routes[1].agents[0].metadata.b: It uses {team}, which routes[1] room_regex "(?P<kind>.*)" does '
        "not bind. Bind it in the route's pattern. For the braces themselves write {{team}}.",
    ]


@pytest.mark.parametrize(
    ("metadata", "path", "message"),
    [
        ("{rollcall: 1}", "rollcall", "The key is reserved for what Rollcall itself tells the worker."),
        ("{a: {b: '{'}}", "a.b", "The { stands alone: write {{ for the character itself."),
        ("{a: [1, .nan]}", "a[1]", "JSON has no such number. Write it in quotes."),
        ("{a: !!binary aGk=}", "a", "JSON has no such value. Write it in quotes."),
        (r'{a: "\ud800"}', "a", "It holds half of a character."),
        ("text", "", "It must consist of keys with values."),
    ],
)
@pytest.mark.parametrize("owner", ["agents.mary", "routes[0]", "routes[0].agents[0]"])
def test_metadata_that_cannot_be_sent_is_refused(file: Path, owner: str, metadata: str, path: str, message: str) -> None:
    said = {place: metadata if place == owner else "{}" for place in ("agents.mary", "routes[0]", "routes[0].agents[0]")}
    text = (
        f"agents: {{mary: {{metadata: {said['agents.mary']}}}}}\n"
        f"routes: [{{metadata: {said['routes[0]']}, agents: [{{agent: mary, metadata: {said['routes[0].agents[0]']}}}]}}]"
    )

    problem = only(refused(file, text))

    assert f"{owner}.metadata{'.' * bool(path)}{path}: {message}" in problem


def test_metadata_over_the_limit_is_refused_and_large_metadata_gives_a_warning(file: Path) -> None:
    text = "agents: {mary: {metadata: {a: %s}}}\nroutes: [{agents: [mary]}]"

    _, warnings = accepted(file, text % ("x" * 4_088))
    assert warnings == []
    _, warnings = accepted(file, text % ("x" * 4_089))
    assert warnings == [
        'rollcall.yaml:2: routes[0].agents[0]: The metadata for "mary" has 4097 bytes, which every dispatch carries to '
        "LiveKit and to the worker."
    ]
    assert "has 65537 bytes; more than 65536 are refused." in only(refused(file, text % ("x" * 65_529)))


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("deadline: 6 apples", '"6 apples" is no duration. Write a number with ms, s, m, h or d, such as 6s or 1.5s.'),
        ("deadline: -1", "-1 is no duration."),
        ("deadline: yes", "True is no duration."),
        ("deadline: .inf", "Inf is no duration."),
        ("verify_at: [joined]", "It must be joined, answering or ready"),
        ("deadline: 0s", "It must be more than 0: it cannot be switched off."),
        ("join_window: 0", "It must be more than 0: it cannot be switched off."),
        ("attempts: 0", "It must be greater than or equal to 1."),
        ("attempts: many", "It must be a whole number."),
        ("verify_at: accepted", "It must be joined, answering or ready: anything less proves nothing."),
        ("on_leave: shrug", "It must be 'replace' or 'ignore'."),
        ("wait_for_people: 7", "It must be true or false."),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(file: Path, policy: str, message: str) -> None:
    name = policy.partition(":")[0]

    problem = only(refused(file, f"agents:\n  mary:\n    policy:\n      {policy}\nroutes: [{{agents: []}}]"))

    assert problem.startswith(f"rollcall.yaml:4: agents.mary.policy.{name}: {message}")


@pytest.mark.parametrize(
    ("route", "message"),
    [
        ('{room: "a-{", agents: []}', "routes[0].room: It has a { without a }"),
        ('{room_regex: "(", agents: []}', "routes[0].room_regex: It is no regular expression: "),
        ("{room: 17, agents: []}", "routes[0].room: It must be text. Write it in quotes."),
        ("{room: a, room_regex: a, agents: []}", "routes[0].room_regex: It has both room and room_regex."),
        ("{room: a}", "routes[0].agents: It is missing. Add it."),
        ("{agents: mary}", "routes[0].agents: It must be a list."),
        ("{agents: [], room_metadata: {a: {b: 1}}}", "routes[0].room_metadata.a: It must be text, a number, true"),
        ("{agents: [], room_metadata: {}}", "routes[0].room_metadata: It is empty."),
        ("{agents: [], priority: 1000}", "routes[0].priority: It must be less than or equal to 100."),
    ],
)
def test_a_route_that_cannot_be_meant_is_refused(file: Path, route: str, message: str) -> None:
    assert only(refused(file, f"agents: {{mary: }}\nroutes: [{route}]")).startswith(f"rollcall.yaml:2: {message}")


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ('alerts: [{webhook: {url: "ftp://x", secret: "whsec_%s"}}]' % ("A" * 32), "alerts[0].webhook.url: It is no URL"),
        ('alerts: [{webhook: {url: "https://x", secret: hunter2}}]', "alerts[0].webhook.secret: The secret must be whsec_"),
        ('alerts: [{webhook: {url: "https://x", secret: "whsec_hunter2!"}}]', "alerts[0].webhook.secret: The secret must be"),
        ('alerts: [{webhook: {url: "https://x", secret: "whsec_aHVudGVyMg=="}}]', "alerts[0].webhook.secret: The secret must"),
        ("alerts: [{webhook: {url: https://x}}]", "alerts[0].webhook.secret: It is missing."),
        ("keys: [{key: a, secret: hunter2}]", "keys[0].secret: The secret has 7 characters, and needs at least 32."),
        ("livekit_api_secret: hunter2", "livekit_api_secret: The secret has 7 characters, and needs at least 32."),
        ("redis_url: http://:hunter2@x", "redis_url: It is no URL of this kind."),
        ("livekit_url: https://x:hunter2", "livekit_url: It is no URL of this kind."),
        ('api_tokens: "hunter2:read"', "api_tokens: A token has no scope that exists."),
    ],
)
def test_what_is_wrong_with_a_secret_is_said_without_showing_it(file: Path, block: str, message: str) -> None:
    problem = only(refused(file, f"routes: [{{agents: []}}]\n{block}"))

    assert problem.startswith(f"rollcall.yaml:2: {message}")
    assert "hunter2" not in problem


def test_a_key_with_two_secrets_is_refused(file: Path) -> None:
    text = f"""
        livekit_api_key: a
        routes: [{{agents: []}}]
        keys:
          - {{key: b, secret: {"x" * 32}}}
          - {{key: b, secret: {"y" * 32}}}
          - {{key: a, secret: {"z" * 32}}}
    """

    assert [str(problem) for problem in refused(file, text)] == [
        'rollcall.yaml:6: keys[1].key: The key "b" has a secret already. Keep one of them.',
        'rollcall.yaml:7: keys[2].key: The key "a" has a secret already. Keep one of them.',
    ]


def test_all_that_is_wrong_is_said_at_once(file: Path) -> None:
    assert len(refused(file, "port: x\ndeadline: y\nalerts: z\nunknown: 1")) == 4


@given(st.dictionaries(st.sampled_from([*Configuration.model_fields, "x"]), ANYTHING, max_size=4))
def test_whatever_a_file_holds_is_accepted_or_refused(value: dict[str, object]) -> None:
    """No content of a file ends in a traceback."""
    with NamedTemporaryFile("w", suffix=".yaml") as named:
        yaml.safe_dump(value, named)
        named.flush()
        with suppress(ConfigurationError):
            configuration, _ = load_configuration(Path(named.name))
            configuration.compiled_routes.route("room", "{}")


# --- what gives a warning ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("everything", ["{agents: []}", '{room: "*", agents: []}'])
def test_a_route_behind_one_that_takes_every_room_gives_a_warning(file: Path, everything: str) -> None:
    _, warnings = accepted(file, f"routes:\n - {{room: a, agents: []}}\n - {everything}\n - {{room: b, agents: []}}")

    [warning] = warnings
    assert warning.startswith("rollcall.yaml:4: routes[2]: It never matches: routes[1] ")


@pytest.mark.parametrize("text", ["", "routes:", "agents: {mary: {}}", "routes: []"])
def test_a_file_without_routes_gives_a_warning(file: Path, text: str) -> None:
    _, warnings = accepted(file, text)

    assert len(warnings) == 1
    assert "There are no routes, so no room gets an agent." in warnings[0]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("slots_start: 1\nroutes: [{agents: []}]", "rollcall.yaml:1: slots_start: slots_floor (2)"),
        ("lease_ttl: 5s\nroutes: [{agents: []}]", "rollcall.yaml:1: lease_ttl: lease_fence (6.5)"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_where_one_is_written(file: Path, text: str, where: str) -> None:
    assert only(refused(file, text)).startswith(f"{where} must not be more than")
