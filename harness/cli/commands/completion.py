"""`harness completion`: what a shell sources to complete commands, options and names."""

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(shell: str) -> int:
    """Print the script for SHELL.

    \b
    bash   harness completion bash > ~/.local/share/bash-completion/completions/harness
    zsh    harness completion zsh > ~/.zfunc/_harness
    fish   harness completion fish > ~/.config/fish/completions/harness.fish
    """
    from click.shell_completion import get_completion_class

    from harness.cli.main import root

    made = get_completion_class(shell)
    assert made is not None, "click knows the three"
    click.echo(made(root(), {}, "harness", "_HARNESS_COMPLETE").source())
    return 0
