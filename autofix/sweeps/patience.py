"""Calls to a storage that may be away for a while."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from autofix.errors import TryLater
from autofix.store.urls import hidden
from autofix.sweeps.terms import Terms

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")


@dataclass
class Patience:
    """Tries again what fails because the storage is away, for a bounded time.

    Attributes:
        terms: How long, and how often.
        seconds: How long in all.
        address: Address of the storage, for messages; passwords are hidden.
        spent: Seconds lost in calls to the storage, waiting included.
        calls: Calls made.
    """

    terms: Terms
    seconds: float
    address: str
    spent: float = 0.0
    calls: int = 0
    # Workers that lost the same server come back apart from each other.
    _random: random.Random = field(default_factory=random.Random)

    def __call__(self, call: Callable[[], Answer]) -> Answer:
        """Returns what `call` returns.

        Args:
            call: Asks or tells the storage. It must be safe to make twice: an answer may get lost on its way back.

        Raises:
            TryLater: If the storage stays away for longer than `seconds`.
        """
        began, pause = time.monotonic(), self.terms.first_pause
        self.calls += 1
        try:
            while True:
                try:
                    return call()
                except Exception as error:
                    if not is_away(error):
                        raise
                    reason = _reason(error)
                    if time.monotonic() - began + pause > self.seconds:
                        raise TryLater(
                            f"the storage {hidden(self.address)} does not answer since {self.seconds:.0f} seconds: "
                            f"{reason}. What is finished is kept; run the same command again once it answers."
                        ) from None  # the frames of the driver hold the address in full
                    logger.warning("The storage does not answer (%s). Trying again.", reason)
                time.sleep(pause * self._random.uniform(0.5, 1.0))
                pause = min(pause * 2, self.terms.longest_pause)
        finally:
            self.spent += time.monotonic() - began


def is_away(error: BaseException) -> bool:
    """Whether an error means that the storage is away, rather than that a call is wrong."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    if isinstance(cause, DBAPIError):
        return isinstance(cause, OperationalError | InterfaceError) or cause.connection_invalidated
    # A journal on a network disk; a file that is missing or not allowed will not come back by waiting.
    return isinstance(cause, OSError) and not isinstance(
        cause, FileNotFoundError | PermissionError | NotADirectoryError
    )


def _reason(error: BaseException) -> str:
    cause = error.__cause__ or error
    original = getattr(cause, "orig", None) or cause
    lines = [line.strip() for line in str(original).splitlines() if line.strip()]
    return hidden(lines[0] if lines else type(original).__name__).rstrip(".")
