"""Where each setting was written: flag, environment variable, or line of the file."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from orchestrator.configuration.document import Document
from orchestrator.configuration.environment import EnvironmentSource
from orchestrator.configuration.problems import ConfigurationError, Finding, Problem, Severity, path_text


@dataclass(frozen=True, slots=True)
class Origins:
    document: Document
    flags: Collection[str] = ()
    environment: EnvironmentSource | None = None

    def problem(self, finding: Finding) -> Problem:
        """A finding, with the place where people find it."""
        problem = Problem(finding.message, fix=finding.fix, severity=finding.severity)
        name = str(finding.location[0]) if finding.location else ""
        if name in self.flags:
            return replace(problem, where="--" + name.replace("_", "-"))
        if self.environment and (where := self.environment.where(name)):
            return replace(problem, where=where)
        written = not name or name in self.document.data
        where = self.document.where(finding.location) if written else ""
        return replace(problem, where=where, path=path_text(finding.location))

    def accept(self, findings: Iterable[Finding]) -> list[Problem]:
        """The warnings among findings. Raises ConfigurationError with all the errors, when there is one."""
        problems = [self.problem(finding) for finding in findings]
        errors = [problem for problem in problems if problem.severity is Severity.ERROR]
        if errors:
            raise ConfigurationError(errors)
        return problems
