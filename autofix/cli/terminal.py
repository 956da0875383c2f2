"""What commands share: telling how far things are, and keeping TensorFlow quiet."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

import click

# What a terminal obeys instead of showing it; a line break and a tab are what they look like.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def say(message: str) -> None:
    """Tells how far things are, on standard error."""
    click.echo(printable(message), err=True)


def printable(text: str) -> str:
    """Returns a text without what a terminal obeys: names of layers and columns come from files of anybody's."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def configure_tensorflow() -> None:
    """Sets what TensorFlow and Keras read from the environment once, when they are imported."""
    os.environ["KERAS_BACKEND"] = "tensorflow"  # A user's JAX or PyTorch default cannot run what autofix measures.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextlib.contextmanager
def native_messages_held_back() -> Iterator[None]:
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
