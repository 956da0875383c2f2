"""How a command ends: errors become one message and an exit code."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import click

from autofix.cli.terminal import printable
from autofix.errors import AutofixError, of_the_machine
from autofix.exits import Exit, exit_of


def usage(message: str) -> click.UsageError:
    """Returns the error of a wrong option, argument or config file."""
    return click.UsageError(message)


def failure(message: str, code: Exit) -> click.ClickException:
    """Returns an error that ends the command with `code`."""
    return _Failure(message, code)


class _Failure(click.ClickException):
    """A message and a code."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(printable(message))
        vars(self)["exit_code"] = int(code)


@contextlib.contextmanager
def ending() -> Iterator[None]:
    """Turns errors that a user can do something about into a message and an exit code."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise failure("interrupted.", Exit.INTERRUPTED) from error
    except AutofixError as error:
        raise failure(str(error), exit_of(error)) from error
    except OSError as error:
        raise failure(of_the_machine(error), exit_of(error)) from error
