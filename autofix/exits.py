"""Exit codes: what the shell, cron and Airflow are told. No TensorFlow."""

from __future__ import annotations

import enum
import errno

from autofix.errors import FixYourCall, StaleChange, TryLater

# Faults of the machine that pass, or that somebody mends without changing the command.
PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE, errno.ENFILE)


class Exit(enum.IntEnum):
    """How a command ended."""

    DONE = 0  # healthy, or repaired (and, for `retrain`, promoted or rightly kept)
    USAGE = 2  # an option, a config file or an argument is wrong
    NO_REPAIR = 3  # something is wrong and no acceptable repair was found; for `retrain`, the champion is kept
    UNUSABLE = 4  # the model or the data cannot be used
    TRY_LATER = 75  # EX_TEMPFAIL of sysexits.h: a lock is held, a storage or a disk does not answer
    INTERRUPTED = 130  # 128 + SIGINT; run the same command again to go on
    TERMINATED = 143  # 128 + SIGTERM; likewise


def exit_of(error: BaseException) -> Exit:
    """Returns what the shell is told about an error."""
    if isinstance(error, KeyboardInterrupt):
        return Exit.INTERRUPTED
    if isinstance(error, TryLater) or (isinstance(error, OSError) and error.errno in PASSING):
        return Exit.TRY_LATER
    return Exit.USAGE if isinstance(error, FixYourCall | StaleChange) else Exit.UNUSABLE
