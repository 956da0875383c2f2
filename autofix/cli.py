"""The `autofix` command.

Results go to standard output, everything else to standard error, so that a result can be piped. Each command imports
what it needs when it runs: `autofix --help` must not wait for TensorFlow.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="keras-autofix", prog_name="autofix", message="%(prog)s %(version)s")
def main() -> None:
    """Find out why a Keras training run is stuck, and repair it."""


@main.command()
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the whole demonstration."
)
def demo(seed: int) -> None:
    """Repair a digits classifier that is stuck at chance.

    Takes under a minute and downloads nothing. Exits with 1 if the classifier could not be repaired.
    """
    _say("Loading TensorFlow ...")
    _configure_tensorflow()
    with _native_messages_held_back():
        from autofix import demo as demonstration

    outcome = demonstration.run(seed=seed, say=_say)
    click.echo(str(outcome))
    sys.exit(0 if outcome.repaired else 1)


@main.command()
@click.argument("name", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to write it.",
)
def explain(name: str | None, form: str) -> None:
    """Say what a symptom is or what a strategy does.

    NAME is that of a symptom or a strategy; or "symptoms" or "strategies" for all of them in full. Without a name, all
    are listed in one line each.
    """
    from autofix.errors import FixYourCall
    from autofix.report import pages

    try:
        click.echo(pages.written(name, form), nl=form != "markdown")
    except FixYourCall as error:
        raise click.ClickException(str(error)) from error


def _say(message: str) -> None:
    """Tells how far things are, on standard error."""
    click.echo(message, err=True)


def _configure_tensorflow() -> None:
    """Sets what TensorFlow and Keras read from the environment once, when they are imported."""
    os.environ["KERAS_BACKEND"] = "tensorflow"  # A user's JAX or PyTorch default cannot run what autofix measures.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextlib.contextmanager
def _native_messages_held_back() -> Iterator[None]:
    """Keeps what is written to file descriptor 2 from the terminal, unless the block fails.

    While it is imported, TensorFlow logs through native code that heeds no log level.
    """
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        except BaseException:
            held_back.seek(0)
            os.write(terminal, held_back.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
