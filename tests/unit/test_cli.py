"""The command: what it prints, where, and with which exit code."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from typer.testing import CliRunner, Result

from orchestrator.cli import ExitCode, app

EXAMPLE = Path(__file__).parents[2] / "deploy" / "rollcall.yaml"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory, and no settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("ROLLCALL_CONFIG", "LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def rollcall(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


# --- the command itself ------------------------------------------------------------------------------------------------


def test_help_comes_without_importing_what_only_subcommands_need() -> None:
    code = "import sys, orchestrator.cli; sys.exit(any(m in sys.modules for m in ('pydantic', 'aiohttp', 'redis', 'rich')))"

    assert subprocess.run([sys.executable, "-c", code], cwd=EXAMPLE.parents[1], check=False).returncode == 0


def test_python_m_orchestrator_is_the_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "orchestrator", "--help"], cwd=EXAMPLE.parents[1], check=True, capture_output=True, text=True
    )

    assert "serve" in ran.stdout
    assert ran.stdout.isascii()


@pytest.mark.parametrize("arguments", [["version"], ["--version"]])
def test_it_knows_its_version(arguments: list[str]) -> None:
    result = rollcall(*arguments)

    assert result.exit_code == ExitCode.OK
    assert result.stdout.startswith("rollcall")


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["serv"], "serve"),
        (["config", "chek"], "check"),
        (["route", "tets"], "test"),
        (["serve", "--confg", "x"], "--config"),
        (["route", "test", "--rom", "x"], "--room"),
    ],
)
def test_a_mistyped_command_or_option_is_a_usage_error_that_names_the_one_that_is_meant(
    arguments: list[str], meant: str
) -> None:
    result = rollcall(*arguments)

    assert result.exit_code == ExitCode.USAGE
    assert meant in result.stderr
    assert result.stdout == ""


# --- serve -------------------------------------------------------------------------------------------------------------


def test_serve_refuses_to_start_without_what_it_needs_and_says_all_of_it() -> None:
    result = rollcall("serve")

    assert result.exit_code == ExitCode.FAILED
    assert [line.split(":")[1].strip() for line in result.stderr.splitlines() if line.startswith("error:")] == [
        "livekit_url",
        "livekit_api_key",
        "livekit_api_secret",
    ]


def test_serve_refuses_a_short_secret_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_URL", "ws://127.0.0.1:7880")
    monkeypatch.setenv("LIVEKIT_API_KEY", "key")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "hunter2")

    result = rollcall("serve")

    assert result.exit_code == ExitCode.FAILED
    assert "environment variable LIVEKIT_API_SECRET: The secret has 7 characters" in result.stderr
    assert "hunter2" not in result.output


def test_serve_refuses_a_flag_that_cannot_be_meant() -> None:
    assert "error: --port: " in rollcall("serve", "--port", "70000").stderr


def test_the_list_of_commands_begins_with_the_service_and_cuts_no_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    listed = rollcall("--help").stdout.partition("Commands:\n")[2].splitlines()

    assert listed[0].split()[0] == "serve"
    assert [line for line in listed if line.endswith("...")] == []


# --- config ------------------------------------------------------------------------------------------------------------


def test_config_check_accepts_the_example_without_any_secret() -> None:
    result = rollcall("config", "check", EXAMPLE)

    assert (result.exit_code, result.stdout, result.stderr) == (ExitCode.OK, "ok: 3 agents, 5 routes\n", "")


def test_config_check_opens_no_file_with_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_API_SECRET_FILE", "/nope")
    monkeypatch.setenv("ROLLCALL_CONFIG", str(EXAMPLE))

    assert rollcall("config", "check").exit_code == ExitCode.OK


def test_config_check_says_line_by_line_what_is_wrong_on_standard_error(nowhere: Path) -> None:
    (nowhere / "rollcall.yaml").write_text("agents: {mary: {}}\nroutes:\n  - agents: [marry]\n  - agents: [tom]\n")

    result = rollcall("config", "check")

    assert result.exit_code == ExitCode.FAILED
    assert result.stdout == ""
    assert result.stderr.splitlines()[0] == (
        'error: rollcall.yaml:3: routes[0].agents[0]: There is no agent "marry". Did you mean "mary"?'
    )
    assert len(result.stderr.splitlines()) == 2


def test_config_check_passes_with_warnings(nowhere: Path) -> None:
    (nowhere / "rollcall.yaml").write_text("agents: {mary: {}}\n")

    result = rollcall("config", "check")

    assert result.exit_code == ExitCode.OK
    assert result.stderr.startswith("warning: routes: There are no routes")


def test_config_check_speaks_json_to_programs(nowhere: Path) -> None:
    (nowhere / "rollcall.yaml").write_text("deadline: soon\n")

    result = rollcall("config", "check", "--json")

    assert result.exit_code == ExitCode.FAILED
    assert json.loads(result.stdout) == {
        "ok": False,
        "problems": [
            {
                "severity": "error",
                "where": "rollcall.yaml:1",
                "path": "deadline",
                "message": '"soon" is no duration.',
                "fix": "Write a number with ms, s, m, h or d, such as 6s or 1.5s.",
            }
        ],
    }


def test_config_check_without_a_file_fails() -> None:
    result = rollcall("config", "check")

    assert (result.exit_code, result.stderr) == (
        ExitCode.FAILED,
        "error: rollcall.yaml: There is no such file. Name the file that you mean, or set ROLLCALL_CONFIG to it.\n",
    )


def test_the_schema_accepts_the_example_and_finds_what_is_wrong() -> None:
    schema = json.loads(rollcall("config", "schema").stdout)
    example = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)

    validator.check_schema(schema)
    assert list(validator.iter_errors(example)) == []
    assert len(list(validator.iter_errors({**example, "pulse_perod": 3}))) == 1
    assert len(list(validator.iter_errors({**example, "deadline": "6 apples"}))) == 1
    assert len(list(validator.iter_errors({**example, "routes": [{"agents": ["mary", {"agnt": "tom"}]}]}))) == 1
    for entry, right in (
        ({"any": ["mary", "tom"], "capabilities": ["es"], "region": "eu"}, True),
        ({"agent": "mary", "any": ["tom"]}, False),
        ({"agent": "mary", "region": "eu"}, False),
        ({}, False),
    ):
        assert validator.is_valid({**example, "routes": [{"agents": [entry]}]}) is right


# --- route -------------------------------------------------------------------------------------------------------------


def test_route_test_shows_why_and_what_each_agent_would_be_told() -> None:
    result = rollcall("route", "test", "--room", "support-acme-17", "--config", EXAMPLE)

    assert result.exit_code == ExitCode.OK
    assert result.stdout.splitlines() == [
        'room "support-acme-17"',
        '  yes  routes[0] room "support-{team}-*": the name matches, with team = "acme"',
        "agent mary  priority 10",
        '  metadata {"persona":"mary","greeting":"Welcome to support-acme-17","team":"acme"}',
        '  fallback tom, metadata {"team":"acme"}',
        "agent notetaker  priority 10",
        '  metadata {"language":"en","team":"acme","channel":"acme-notes"}',
    ]


def test_route_test_shows_which_routes_did_not_match() -> None:
    result = rollcall("route", "test", "--room", "internal-1", "--metadata", "no json", "--config", EXAMPLE)

    assert result.exit_code == ExitCode.OK
    assert result.stdout.splitlines() == [
        'room "internal-1"',
        '  no   routes[0] room "support-{team}-*": the name does not match',
        '  no   routes[1] room_regex "(?P<kind>demo|trial)-[0-9]{4}": the name does not match',
        '  no   routes[2] room_metadata {kind: "demo", customer.tier: "gold"}: kind should be "demo", but the room\'s '
        "metadata is no JSON object",
        '  yes  routes[3] room "internal-*": the name matches',
        'No agent: routes[3] room "internal-*" wants none.',
        "warning: The room's metadata is not JSON, so no route could look at its fields.",
    ]


def test_route_test_shows_by_what_one_of_several_is_chosen(nowhere: Path) -> None:
    route = "{agents: [{any: [mary, tom], capabilities: [es, de], region: eu}]}"
    (nowhere / "rollcall.yaml").write_text(f"agents: {{mary: , tom: }}\nroutes: [{route}]")
    rule = (
        "the first of which a worker has announced that it can de and es, is in eu and has room; "
        "where nothing is announced, in the order written. The others are its fallbacks"
    )

    assert rollcall("route", "test", "--room", "b").stdout.splitlines()[2:] == [
        "agent mary  priority 0",
        "  metadata {}",
        "  fallback tom, metadata {}",
        f"one of mary, tom: {rule}",
    ]
    assert json.loads(rollcall("route", "test", "--room", "b", "--json").stdout)["choices"] == [
        {"of": ["mary", "tom"], "capabilities": ["de", "es"], "region": "eu", "rule": rule}
    ]


def test_route_test_says_that_a_room_is_unrouted(nowhere: Path) -> None:
    (nowhere / "rollcall.yaml").write_text("routes: [{room: a, agents: []}]")

    assert "No agent: no route matched, so the room is unrouted." in rollcall("route", "test", "--room", "b").stdout


def test_route_test_speaks_json_to_programs() -> None:
    metadata = '{"kind": "demo", "customer": {"tier": "gold"}}'

    result = rollcall("route", "test", "--room", "[red]x", "--metadata", metadata, "--config", EXAMPLE, "--json")

    answer = json.loads(result.stdout)
    assert answer["room"] == "[red]x"
    assert answer["route"] == 'routes[2] room_metadata {kind: "demo", customer.tier: "gold"}'
    assert [agent["agent_name"] for agent in answer["agents"]] == ["tom"]
    assert answer["agents"][0]["metadata"] == {"demo": True}
    assert answer["agents"][0]["policy"]["verify_at"] == "joined"
    assert [step["matched"] for step in answer["trace"]] == [False, False, True]
    assert answer["warnings"] == []


def test_route_test_needs_a_room_and_a_configuration_that_is_right(nowhere: Path) -> None:
    assert rollcall("route", "test").exit_code == ExitCode.USAGE
    (nowhere / "rollcall.yaml").write_text("rutes: []")
    result = rollcall("route", "test", "--room", "x")
    assert result.exit_code == ExitCode.FAILED
    assert 'Did you mean "routes"?' in result.stderr
