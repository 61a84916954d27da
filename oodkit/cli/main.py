"""The program `oodkit`: its commands, and what an error looks like."""

import os
import sys
import warnings
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Annotated, TextIO

# Plain help is drawn in half the time, and reads the same in a log as on a terminal.
os.environ.setdefault("TYPER_USE_RICH", "0")

import typer

from oodkit.cli import (
    attack,
    audit,
    bench,
    cache,
    cluster,
    compare,
    embed,
    export,
    fit,
    listing,
    predict,
    report,
    robust,
    score,
    sensitivity,
    serve,
    train,
)
from oodkit.errors import OodkitError

DONE, UNUSABLE, INTERRUPTED = 0, 2, 130

app = typer.Typer(
    name="oodkit",
    help="Out-of-distribution detection for images.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("score")(score.score)
app.command("embed")(embed.embed)
app.command("fit")(fit.fit)
app.command("predict")(predict.predict)
app.command("serve")(serve.serve)
app.command("export")(export.export)
app.command("bench")(bench.bench)
app.command("compare")(compare.compare)
app.command("report")(report.report)
app.command("audit")(audit.audit)
app.command("attack")(attack.attack)
app.command("robust")(robust.robust)
app.command("cluster")(cluster.cluster)
app.command("sensitivity")(sensitivity.sensitivity)
app.command("train")(train.train)
app.add_typer(listing.app, name="list")
app.add_typer(cache.app, name="cache")


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"oodkit-vision {version('oodkit-vision')}")
        raise typer.Exit


@app.callback()
def _global_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Out-of-distribution detection for images."""


def main() -> None:
    """Run the program on the process's arguments and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no reason to stop
    code = run(sys.argv[1:])
    if code == INTERRUPTED:  # threads of libraries may be half-way: tearing the interpreter down around them can abort
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run the program and return its exit code.

    0: done. 2: what was given cannot be used; one line on stderr says what, why and what to do. 130: interrupted.
    """
    debug = "--debug" in arguments
    words = [word for word in arguments if word != "--debug"]
    told = "interrupted; finished embeddings are kept, and where a training stood: run the same command again to go on"
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _print_warning
            code = typer.main.get_command(app)(args=words, prog_name="oodkit", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort) as stop:
        code, told = INTERRUPTED, str(stop) or told
    except (BrokenPipeError, SystemExit) as stop:
        if not isinstance(stop, BrokenPipeError) and not isinstance(stop.__context__, BrokenPipeError):
            raise  # typer makes a SystemExit of a broken pipe, and a user's module may of anything
        # The reader of stdout has gone; nothing is left to say, also not when Python closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except typer.Exit as done:
        return done.exit_code
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # which typer raises in newer versions; its message is the help
            print(str(error), file=sys.stderr)
            return UNUSABLE
        message = _one_line(error)
        if debug or message is None:
            raise
        print(f"error: {message}", file=sys.stderr)
        return UNUSABLE
    if code == INTERRUPTED:
        print(told, file=sys.stderr)
    return code if isinstance(code, int) else DONE


def _print_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Warnings that concern users, as notes; those for programmers are left out."""
    if not issubclass(category, DeprecationWarning | PendingDeprecationWarning | FutureWarning):
        print(f"note: {' '.join(str(message).split())}", file=sys.stderr)


def _one_line(error: Exception) -> str | None:
    """What to print for an error that is the user's to mend; None for a fault of the program."""
    if isinstance(error, OodkitError):
        return str(error)
    describe = getattr(error, "format_message", None)  # typer's own usage errors, whatever class they have
    if callable(describe):
        path = getattr(getattr(error, "ctx", None), "command_path", None) or "oodkit"
        return f"{' '.join(str(describe()).split()).rstrip('.?')}; `{path} --help` shows the usage"
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}; check the path, its permissions and the space left"
    if isinstance(error, MemoryError):
        return "out of memory; try --limit, a smaller --image-size or fewer scorers"
    return None
