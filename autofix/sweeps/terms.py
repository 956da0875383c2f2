"""`Terms`: how long workers of a sweep wait for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Terms:
    """Times in seconds, all counted on the clock of the one who waits: clocks of machines are never compared.

    Attributes:
        renew: Between two signs of life of a worker.
        dead: Without a sign of life, after which a worker counts as dead. Six times `renew`: a busy database or a
            short swap storm must not cost a cell.
        poll: Between two looks at what others do, while there is nothing to do oneself.
        patience: That a storage may be away in the middle of a sweep. A restart of PostgreSQL takes seconds, the
            replacement of a failed server by its standby a few minutes.
        opening: That a storage may be away at the beginning: then the address is likelier to be wrong.
        first_pause: Before the first try again; it doubles from try to try.
        longest_pause: Between two tries.
    """

    renew: float = 10.0
    dead: float = 60.0
    poll: float = 5.0
    patience: float = 600.0
    opening: float = 30.0
    first_pause: float = 0.2
    longest_pause: float = 15.0


TERMS = Terms()
# Workers that may die of one cell before it counts as unusable: out of memory kills the next one too.
MOST_DEATHS = 3
