"""Exit codes: what the shell, cron and Airflow are told. No TensorFlow."""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """How a command ended."""

    DONE = 0  # healthy, or repaired (and, for `retrain`, promoted or rightly kept)
    USAGE = 2  # an option, a config file or an argument is wrong
    NO_REPAIR = 3  # something is wrong and no acceptable repair was found; for `retrain`, the champion is kept
    UNUSABLE = 4  # the model or the data cannot be used
    TRY_LATER = 75  # EX_TEMPFAIL of sysexits.h: a lock is held, a storage or a disk does not answer
    INTERRUPTED = 130  # 128 + SIGINT; run the same command again to go on
    TERMINATED = 143  # 128 + SIGTERM; likewise
