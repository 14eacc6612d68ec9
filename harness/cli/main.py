"""The `harness` command: finds the command, and turns every error into a sentence and an exit code."""

import errno
import importlib
import os
import sys
from typing import NoReturn

import click

from harness import __version__
from harness.errors import ExitCode, HarnessError

_COMMANDS: dict[str, str] = {
    "run": "run a scenario, judge it, report it",
    "drill": "a chaos drill that people watch: briefing, go or no-go, notes, debrief",
    "plan": "show what a run would do; starts nothing",
    "validate": "check scenario and target files",
    "try": "one request to your own service, and what its description finds in it",
    "init": "a first description of your own service, by asking it",
    "new": "the first files of a fault, a check or an objective of your own",
    "list": "list scenarios, faults, objectives, checks",
    "judge": "judge a run directory again, offline",
    "report": "merge runs into one readiness document for a release; --verify checks one",
    "explain": "why a result is what it is: requests, calls, faults, log lines",
    "show": "what a run came to, without opening the report",
    "compare": "is a run worse than another: intervals, significance, minimum effect",
    "trend": "the figures of one scenario over many runs",
    "pack": "a run directory as one file to pass on; digests checked",
    "export": "a run's figures for Prometheus or OpenTelemetry; its objectives as OpenSLO",
    "openslo": "objectives for a scenario from OpenSLO files",
    "sign": "record who decided on a release, on what digest",
    "fault": "see, add and clear faults of what is live",
    "ps": "what is live now",
    "halt": "end a live run, healed",
    "note": "write a timed note into the journal of a live run",
    "serve": "start the embedded stack alone, for exploring by hand",
    "worker": "a load worker for a run that another machine leads",
    "proxy": "the embedded fault proxy, stand-alone",
    "provider": "the simulated provider, stand-alone",
    "baseline": "keep what a passed run measured, for later runs to be compared with",
    "verify-gate": "planted defects against the scenarios that must catch them",
    "doctor": "what this machine can and cannot run, and why",
    "clean": "remove what a killed run left behind; --runs: old run directories",
    "completion": "a script that lets your shell complete harness commands",
}
"""Every command and its one-line help, so that `--help` imports none of them."""

_MODULES = {"try": "try_", "verify-gate": "verify_gate"}
"""Where a command's name is a keyword of Python, its module has another."""


class _ReaderGoneError(Exception):
    """Whoever read our output closed it. Click, told so itself, would leave exit code 1: a failed objective."""


class _Commands(click.Group):
    """Imports a command's module when it is called, not before."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderGoneError from error

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"harness.cli.commands.{_MODULES.get(cmd_name, cmd_name)}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            from harness.errors import did_you_mean

            ctx.fail(f"no command is called {args[0]!r}; see harness --help{did_you_mean(args[0], _COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="harness")
def _harness() -> None:
    """Load testing and chaos verification for guarded LLM services.

    \b
    Exit codes: 0 pass, 1 fail, 2 configuration or usage, 3 inconclusive, 4 invalid run,
    5 could not run, 6 aborted, 130 and 143 interrupted.
    """


def root() -> click.Group:
    """Return the command that holds all others."""
    return _harness


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit. An uncaught exception is our own trouble (5), never a failed objective (1)."""
    _open_what_is_closed()
    if "_HARNESS_COMPLETE" in os.environ:
        _harness.main(prog_name="harness")  # the shell asks what could follow; click answers and exits
    try:
        code = _harness.main(args=arguments, prog_name="harness", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except HarnessError as error:
        _say(f"error: {error}")
        _annotate(error)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _say(f"error: {error.format_message()}")
        sys.exit(ExitCode.CONFIGURATION)
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted")
        sys.exit(ExitCode.SIGINT)
    except (_ReaderGoneError, BrokenPipeError):
        _give_up_output()  # nobody is there to be told
        sys.exit(ExitCode.COULD_NOT_RUN)
    except OSError as error:
        if error.errno not in _OUTPUT_IS_FULL or error.filename is not None:
            _tell_bug(error)
        _give_up_output()
        _say(f"error: the output cannot be written: {error.strerror}")
        sys.exit(ExitCode.COULD_NOT_RUN)
    except Exception as error:  # noqa: BLE001 - the last door: a bug must not look like a verdict
        _tell_bug(error)


_OUTPUT_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


def _open_what_is_closed() -> None:
    """Give a process that was started without standard streams some that lead nowhere, before a file takes their numbers."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))  # noqa: SIM115 - as long as the process


def _give_up_output() -> None:
    """Let what is still to be written lead nowhere: Python writes it as it ends, and would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell_bug(error: Exception) -> NoReturn:
    _say(f"error: a bug of the harness: {type(error).__name__}: {error}\n  the details are in {_keep_traceback()}")
    sys.exit(ExitCode.COULD_NOT_RUN)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _annotate(error: HarnessError) -> None:
    """Show an error at its line where a pipeline can."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from harness.cli.unattended import annotation

        for problem in getattr(error, "problems", (error.message,)):
            if (command := annotation(problem)) is not None:
                _say(command)


def _keep_traceback() -> str:
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="harness-bug-", suffix=".txt", delete=False) as file:
        traceback.print_exc(file=file)
    return file.name
