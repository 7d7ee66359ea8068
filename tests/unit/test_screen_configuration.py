"""The `screen:` block of rollcall.yaml: which proxy is believed, and what is refused at start."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from orchestrator.configuration.credentials import Scope
from orchestrator.configuration.problems import ConfigurationError
from orchestrator.configuration.screen import ScreenEntry
from orchestrator.settings import load_configuration
from orchestrator.settings.schema import json_schema

ROUTES = "routes: [{agents: []}]\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("rollcall.yaml")


def accepted(file: Path, block: str) -> ScreenEntry:
    file.write_text(f"{ROUTES}screen: {block}", encoding="utf-8")
    configuration, problems = load_configuration(file)
    assert problems == ()
    return configuration.screen


def refusal(file: Path, block: str) -> str:
    file.write_text(f"{ROUTES}screen: {block}", encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(file)
    [problem] = caught.value.problems
    return str(problem).removeprefix("rollcall.yaml:2: ")


def test_without_a_block_no_proxy_is_believed(file: Path) -> None:
    assert accepted(file, "{}").proxy is None


def test_a_proxy_is_known_by_its_addresses_and_lets_people_read_unless_it_is_said_otherwise(file: Path) -> None:
    proxy = accepted(file, '{proxy: {header: X-Forwarded-User, from: ["10.0.0.0/8", "fd00::/8"]}}').proxy
    assert proxy is not None
    assert (proxy.header, proxy.scope) == ("X-Forwarded-User", Scope.READ)
    assert proxy.networks == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def test_one_address_needs_no_list(file: Path) -> None:
    proxy = accepted(file, "{proxy: {header: X-User, from: 127.0.0.1, scope: operate}}").proxy
    assert proxy is not None
    assert (proxy.networks, proxy.scope) == ((ip_network("127.0.0.1/32"),), Scope.OPERATE)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("{proxy: {header: X-User}}", "screen.proxy.from: It is missing. Add it."),
        ("{proxy: {header: X-User, from: []}}", "screen.proxy.from: It is empty. Write the addresses of your proxies."),
        (
            "{proxy: {header: X-User, from: everywhere}}",
            "screen.proxy.from[0]: It is no network of addresses. Write it like 10.0.0.0/8, or one address.",
        ),
        (
            "{proxy: {header: X-User, from: 10.0.0.1/8}}",
            "screen.proxy.from[0]: It is no network of addresses. Write it like 10.0.0.0/8, or one address.",
        ),
        (
            "{proxy: {header: X-User, from: 0.0.0.0/0}}",
            "screen.proxy.from[0]: Everybody in the world could say who they are. Write the addresses of your proxies.",
        ),
        (
            "{proxy: {header: 'X User', from: 10.0.0.1}}",
            "screen.proxy.header: It is no name of a header. Write it like X-Forwarded-User.",
        ),
        (
            "{proxy: {header: authorization, from: 10.0.0.1}}",
            "screen.proxy.header: This header means something else. Take one such as X-Forwarded-User.",
        ),
        (
            "{proxy: {header: X-User, from: 10.0.0.1, scope: mint}}",
            "screen.proxy.scope: It must be 'read' or 'operate'.",
        ),
        (
            "{proxy: {header: X-User, form: 10.0.0.1, from: 10.0.0.1}}",
            'screen.proxy.form: There is no setting "form" here. Did you mean "from"?',
        ),
    ],
)
def test_a_block_that_would_not_do_what_it_says_is_refused(file: Path, block: str, said: str) -> None:
    assert refusal(file, block) == said


def test_editors_know_the_block() -> None:
    proxy = json_schema()["$defs"]["ProxyEntry"]
    assert set(proxy["properties"]) == {"header", "from", "scope"}
    assert proxy["required"] == ["header", "from"]
