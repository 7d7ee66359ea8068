"""Shell completion, by name: `--install-completion` and `--show-completion` do the same for whoever knows them."""

from typing import Annotated, Final

import typer

PROGRAM: Final = "rollcall"
_VARIABLE: Final = "_ROLLCALL_COMPLETE"
_SHELLS: Final = ("bash", "zsh", "fish", "powershell", "pwsh")


def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help=f"One of {', '.join(_SHELLS)}.")],
    *,
    install: Annotated[bool, typer.Option("--install", help="Put it where this shell looks for it.")] = False,
) -> None:
    """Print what makes a shell complete this command."""
    from typer._completion_shared import get_completion_script  # what typer's own options call; it has no other name
    from typer._completion_shared import install as install_script

    if shell not in _SHELLS:
        raise typer.BadParameter(f"{shell} is none of {', '.join(_SHELLS)}", param_hint="SHELL")
    if install:
        _, path = install_script(shell, PROGRAM, _VARIABLE)
        typer.echo(f"Installed in {path}. It takes effect in a new shell.")
    else:
        typer.echo(get_completion_script(prog_name=PROGRAM, complete_var=_VARIABLE, shell=shell))
