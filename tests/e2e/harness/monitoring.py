"""Debian's Prometheus and Alertmanager, configured as our documents say."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.e2e.harness.child import REPOSITORY, ChildProcess
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.wait import wait_until

PROGRAMS = ("prometheus", "prometheus-alertmanager")
HOW_TO_GET_THEM = "prometheus and prometheus-alertmanager are not installed (Debian: apt-get install both)"

Json = dict[str, Any]


def installed() -> bool:
    """Whether both are."""
    return all(shutil.which(program) for program in PROGRAMS)


class Monitor:
    """One of the two: it can be killed, and started again on the same port."""

    def __init__(self, directory: Path, program: str, options: Mapping[str, str]) -> None:
        self.port = free_port()
        flags = {"web.listen-address": f"{LOOPBACK}:{self.port}", **options}
        arguments = [f"--{name}={value}" for name, value in flags.items()]
        self.process = ChildProcess([program, *arguments], log=directory / f"{program}.log")

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Run it until it is ready."""
        self.process.start()
        await wait_until(self._ready, timeout=20.0, description=f"{self.process.log.stem} is ready")

    async def asked(self, path: str, **query: str) -> Any:
        """What its HTTP API answers."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}{path}", params=query) as response:
            response.raise_for_status()
            return await response.json()

    async def _ready(self) -> bool:
        if not self.process.running:
            message = f"{self.process.log.stem} ended:\n{self.process.logged()[-2_000:]}"
            raise RuntimeError(message)
        try:
            async with aiohttp.ClientSession() as http, http.get(f"{self.url}/-/ready") as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False


class Alertmanager(Monitor):
    """Groups as docs/alerting.md tells people to; nobody receives anything."""

    def __init__(self, directory: Path) -> None:
        config = directory / "alertmanager.yml"
        (shown,) = re.findall(r"```yaml\n(route:\n.*?)```", (REPOSITORY / "docs/alerting.md").read_text(), re.DOTALL)
        route = yaml.safe_load(shown)["route"] | {"receiver": "nobody"}
        config.write_text(yaml.safe_dump({"route": route, "receivers": [{"name": "nobody"}]}))
        options = {
            "config.file": str(config),
            "storage.path": str(directory / "alertmanager-data"),
            "cluster.listen-address": "",
        }
        super().__init__(directory, "prometheus-alertmanager", options)

    async def alerts(self, **labels: str) -> list[Json]:
        """Those that fire, with these labels."""
        found: list[Json] = await self.asked("/api/v2/alerts")
        return [alert for alert in found if labels.items() <= alert["labels"].items()]

    async def groups(self, **labels: str) -> list[Json]:
        """The groups that have these labels in common: what becomes one notification."""
        found: list[Json] = await self.asked("/api/v2/alerts/groups")
        return [group for group in found if labels.items() <= group["labels"].items()]


class Prometheus(Monitor):
    """With our rules, and our example's configuration but for addresses and pauses."""

    def __init__(self, directory: Path, *, target: str, alertmanager: Alertmanager) -> None:
        ours = REPOSITORY / "deploy/prometheus"
        config = yaml.safe_load((ours / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [str(ours / "rules.yml")]
        config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [f"{LOOPBACK}:{alertmanager.port}"]
        config["scrape_configs"][0]["static_configs"][0]["targets"] = [target]
        path = directory / "prometheus.yml"
        path.write_text(yaml.safe_dump(config))
        options = {
            "config.file": str(path),
            "storage.tsdb.path": str(directory / "prometheus-data"),
            "enable-feature": "exemplar-storage",
        }
        super().__init__(directory, "prometheus", options)

    async def value(self, expression: str) -> float | None:
        """The only sample of this expression, now; None while there is none."""
        answer = await self.asked("/api/v1/query", query=expression)
        samples = answer["data"]["result"]
        return float(samples[0]["value"][1]) if len(samples) == 1 else None


@asynccontextmanager
async def alertmanager(directory: Path) -> AsyncIterator[Alertmanager]:
    """One that is ready, ended at the exit."""
    server = Alertmanager(directory)
    try:
        await server.start()
        yield server
    finally:
        await server.process.clear_away()


@asynccontextmanager
async def prometheus(directory: Path, *, target: str, alertmanager: Alertmanager) -> AsyncIterator[Prometheus]:
    """One that is ready, ended at the exit."""
    server = Prometheus(directory, target=target, alertmanager=alertmanager)
    try:
        await server.start()
        yield server
    finally:
        await server.process.clear_away()
