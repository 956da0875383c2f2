"""The table of the comparison and the bars that it must hold."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .peer_curve import LEAST_UNIT_SECONDS, MULTIPLES, Measured, Standing
from .peer_row import CONTENDERS
from .table import Bar, Report

OURS = "autofix"
# What autofix must reach: a repair in the time of three failing runs, ahead of everyone's ten.
MOST_MULTIPLES = 3.0


def line(row: Measured) -> str:
    """One finished row, for those who watch."""
    start = f"{row.case:<28.28} {row.seed:>3} {row.contender:<10}"
    if row.error:
        return f"{start} ! {row.error}"
    rates = "  ".join(f"{multiple:g}x {row.rate_at(multiple):6.2f}" for multiple in MULTIPLES)
    what = row.status or f"{row.trials} trainings, {row.crashes} crashed"
    return f"{start} IR at {rates}  fixed after {_multiples(row.multiples):>5}  {row.seconds:6.1f} s  {what}"


def _multiples(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else f">{MULTIPLES[-1]:g}"


def report(rows: Sequence[Measured]) -> Report:
    """Sum up rows: a line for each contender, the bars, and what a reader must know."""
    shares = [f"repaired at {multiple:g}x" for multiple in MULTIPLES]
    made = Report("Time to a repair, in failing runs", ["contender", *shares, "median time", "rows", "errors"])
    standings = [Standing.of(name, rows) for name in CONTENDERS]
    standings = [standing for standing in standings if standing.rows]
    for standing in standings:
        figures = standing.to_dict()
        shares = [f"{share:.0%} [{low:.0%}-{high:.0%}]" for share, low, high in figures["repaired"].values()]
        counts = [str(figures["rows"]), str(figures["errors"])]
        made.add([CONTENDERS[standing.contender], *shares, _multiples(standing.median), *counts], figures)
    made.bars.extend(bars(standings))
    made.notes.extend(notes(rows))
    return made


def bars(standings: Sequence[Standing]) -> list[Bar]:
    """The bars; one that lacks its figures, or whose contenders ran on different rows, does not hold."""
    ours = next((standing for standing in standings if standing.contender == OURS), None)
    peers = [standing for standing in standings if standing.contender != OURS]
    middle, last = MULTIPLES[1:]
    times = Bar("autofix, median time to a repair", ours.median if ours else None, "<=", MOST_MULTIPLES)
    best = max(peers, key=lambda standing: standing.share(last), default=None)
    if ours is None or best is None:
        return [times, Bar(f"autofix, share at {middle:g}x, ahead of every peer's at {last:g}x", None, ">=", 1.0)]
    same = all(_places(standing) == _places(ours) for standing in peers)
    # Ahead is one row more; shares of equal numbers of rows differ by no less.
    least = (best.repaired(last) + 1) / len(best.rows)
    name = f"autofix, share at {middle:g}x, against the best peer's at {last:g}x ({best.contender}) and a row more"
    return [times, Bar(name, ours.share(middle) if same else None, ">=", least)]


def _places(standing: Standing) -> set[tuple[str, int]]:
    return {(row.digest, row.seed) for row in standing.rows}


def notes(rows: Sequence[Measured]) -> list[str]:
    """What a reader must know."""
    said = [
        "repaired: improvement rate >= 0.9 on the test rows; in brackets 95 % bootstrap intervals over rows; "
        "unrepaired rows and errors count as infinite times",
        f"a multiple is the failing run's plain fit, at least {LEAST_UNIT_SECONDS:g} s; imports count for nobody",
    ]
    crashing = sorted({row.case for row in rows if row.unit_of == "reference run"})
    if crashing:
        said.append(f"where the failing run crashes at once, it is the reference run's fit: {', '.join(crashing)}")
    without = sorted({f"{row.case}:{row.seed}" for row in rows if not row.counts})
    if without:
        said.append(f"left out, the reference is no better than the failing run: {', '.join(without)}")
    return said
