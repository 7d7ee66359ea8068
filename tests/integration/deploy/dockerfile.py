"""The few instructions that our Dockerfiles use, read and carried out in a plain directory.

Every stage is a directory. While a stage is built or run, one link points at its directory, and the absolute paths of the
image that its commands name are replaced by paths under that link: so what is copied from stage to stage keeps its address.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

OURS = re.compile(r"(?<![\w./-])/(?=(?:opt|src|srv|var/lib/rollcall|etc/rollcall)(?![\w-]))")
"""Where a path begins that belongs to the image; others (/usr/bin) are the host's."""

INSTALLS = re.compile(r"\s*apt-get update\b")
"""What a host has instead of it."""


@dataclass
class Stage:
    """What is between two FROM."""

    base: str
    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, keyword: str) -> list[str]:
        """What stands behind this keyword, each time."""
        return [text for word, text in self.instructions if word == keyword]

    def one(self, keyword: str) -> str:
        """What stands behind a keyword that occurs once."""
        (text,) = self.all(keyword)
        return text

    def command(self, keyword: str) -> list[str]:
        """The program and its arguments, of an instruction in exec form: only that gives signals to the program itself."""
        words = json.loads(self.one(keyword))
        assert isinstance(words, list)
        return words

    def health(self) -> list[str]:
        """The command of HEALTHCHECK."""
        _, _, command = self.one("HEALTHCHECK").partition(" CMD ")
        words = json.loads(command)
        assert isinstance(words, list)
        return words

    def environment(self) -> dict[str, str]:
        """All that ENV sets."""
        return dict(word.split("=", 1) for text in self.all("ENV") for word in shlex.split(text))


def parse(text: str) -> list[Stage]:
    """The stages of a Dockerfile, the last one being the image."""
    stages: list[Stage] = []
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        keyword, _, rest = line.strip().partition(" ")
        if keyword == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base, name))
        elif stages:
            stages[-1].instructions.append((keyword, rest.strip()))
    return stages


def context(root: Path) -> Iterator[Path]:
    """The files that a build sees: those under `root` that .dockerignore leaves, by its rule that the last match counts."""
    rules = [line for line in Path(root, ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    for folder, folders, files in os.walk(root):
        # Of what is left out for certain, only because it is large.
        folders[:] = [name for name in folders if name not in {".git", ".venv", ".venv-worker", "node_modules"}]
        for name in files:
            path = Path(folder, name).relative_to(root)
            if _kept(path, rules):
                yield path


def _kept(path: Path, rules: list[str]) -> bool:
    names = [str(path), *(str(parent) for parent in path.parents if str(parent) != ".")]
    kept = True
    for rule in rules:
        pattern = rule.removeprefix("!")
        patterns = [pattern, pattern.removeprefix("**/")] if pattern.startswith("**/") else [pattern]
        depth = pattern.count("/")
        if any(
            fnmatch.fnmatchcase(name, wanted)
            for wanted in patterns
            for name in names
            if pattern.startswith("**/") or name.count("/") == depth
        ):
            kept = rule.startswith("!")
    return kept


class PlainBuild:
    """One build in a directory."""

    def __init__(self, source: Path, directory: Path, programs: Path, uid: int) -> None:
        """`programs` comes first on the PATH of what is run; `uid` stands for the image's own user."""
        self.now = directory / "now"
        self.skipped: list[str] = []
        self._source = source
        self._stages = directory / "stages"
        self._stages.mkdir()
        self._programs = programs
        self._uid = uid

    def build(self, stages: list[Stage]) -> None:
        """Carry out all stages; afterwards the link `now` is the image."""
        for number, stage in enumerate(stages):
            self._stage(stage, self._stages / (stage.name or str(number)))

    def mapped(self, text: str) -> str:
        """A text with the image's paths, as it is meant here."""
        return OURS.sub(f"{self.now}/", text).replace("10001", str(self._uid))

    def place(self, path: str, workdir: str = "/") -> Path:
        """Where a path of the image is here."""
        return self.now / os.path.normpath(os.path.join(workdir, path)).lstrip("/")  # noqa: PTH118 - `..` is not resolved

    def _stage(self, stage: Stage, root: Path) -> None:
        root.mkdir()
        self.now.unlink(missing_ok=True)
        self.now.symlink_to(root)
        workdir = "/"
        for keyword, text in stage.instructions:
            match keyword:
                case "WORKDIR":
                    workdir = os.path.normpath(os.path.join(workdir, text))  # noqa: PTH118 - as above
                    self.place(workdir).mkdir(parents=True, exist_ok=True)
                case "COPY":
                    self._copy(shlex.split(text), workdir)
                case "RUN":
                    self._run(text, self.place(workdir))
                case _:
                    pass

    def _copy(self, words: list[str], workdir: str) -> None:
        source = self._source
        if words[0].startswith("--from="):
            source = self._stages / words.pop(0).removeprefix("--from=")
        *names, last = words
        target = self.place(last, workdir)
        target.mkdir(parents=True, exist_ok=True)
        assert last.endswith("/"), "a COPY of ours names a folder"
        for name in names:
            found = source / name.lstrip("/")
            if found.is_dir():
                shutil.copytree(found, target, symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy2(found, target)

    def _run(self, text: str, workdir: Path) -> None:
        if INSTALLS.match(text):
            self.skipped.append(text)
            return
        done = subprocess.run(
            ["/bin/sh", "-euc", self.mapped(text)],
            cwd=workdir,
            env=_without_python(os.environ) | {"PATH": f"{self._programs}:{os.environ['PATH']}"},  # noqa: TID251 - the host's programs
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout[-2_000:]}\n{done.stderr[-4_000:]}"


def _without_python(environment: Mapping[str, str]) -> dict[str, str]:
    """A build knows nothing of the environment of the tests."""
    return {name: value for name, value in environment.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
