"""Which commands of the documents are run, how, and which are not, with the reason."""

from __future__ import annotations

import re
import shlex

import typer
from typer.core import TyperGroup

from orchestrator.cli import app

NOT_RUN = {
    "rollcall serve": "a service of its own; one runs under these tests, and tests of the process start others",
    "rollcall sandbox": "runs until it is stopped; its own tests start it",
    "rollcall watch": "runs until it is stopped; its own tests run it",
    "rollcall show support-17 --watch": "runs until the session ends; its own tests run it",
    "rollcall burst": "opens rooms by the dozen; its own tests run it",
    "rollcall completion": "writes into a system's directory",
    "make": "this is one of the tests that `make test` runs: its targets are looked up in the Makefile",
    "python": "workers have an environment of their own; tests/e2e start them",
    "helm": "needs a cluster",
    "kubectl": "needs a cluster",
    "docker": "needs an engine for containers",
    "lk": "LiveKit's own command; it need not be installed",
    "promtool": "checked where the rules are: tests/unit/deploy",
    "pip": "installs something",
    "git": "fetches something",
    "systemctl": "needs a machine of its own",
    "cd": "goes into a directory of the reader",
    "cp": "writes where the reader wants it",
    "openssl": "makes a secret, for the reader to keep",
    '"$(.venv/bin/python -m deploy.tools.livekit_server --path)"': "a server of its own; the end-to-end tests start it",
    "livekit-server": "a server of its own; the end-to-end tests start it",
}
"""By how a command begins. Those of `rollcall` must be understood all the same; paths in the others must exist."""

COMMAND = typer.main.get_command(app)
ASSIGNMENT = re.compile(r"^(?:[A-Z_]+=\S*\s+)+")
PATH = re.compile(r"(?<![\w/:.])(?:deploy|worker|docs|tests|orchestrator)/[\w./-]+")
CHILDREN = ("rollcall doctor",)
"""What handles signals runs in a process of its own."""

INLINE = re.compile(r"(?<!`)`(rollcall [^`]+)`(?!`)")


def bare(command: str) -> str:
    """Without variables set for it, and without the environment in which it is installed."""
    return ASSIGNMENT.sub("", command).removeprefix(".venv/bin/").removeprefix(".venv-worker/bin/")


def reason_not_to_run(command: str) -> str | None:
    typed = bare(command)
    return next((why for start, why in NOT_RUN.items() if typed == start or typed.startswith(start + " ")), None)


def misunderstood(command: str) -> str | None:
    """What `rollcall` would not understand of a command: a subcommand or an option that there is none of."""
    try:
        words = shlex.split(re.sub(r"[\[\]|…,]", " ", command.replace("…", "")), comments=True)
    except ValueError:
        words = command.split()
    found = COMMAND
    for word in words[1:]:
        if not isinstance(found, TyperGroup):
            break
        if word.startswith("-"):
            continue
        if word not in found.commands:
            return f"there is no `rollcall {word}`"
        found = found.commands[word]
    known = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    unknown = [word for word in words if re.fullmatch(r"--[a-z][a-z-]*", word) and word not in known | {"--help", "--version"}]
    return f"`{found.name}` has no {unknown[0]}" if unknown else None
