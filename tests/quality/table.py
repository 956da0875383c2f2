"""The table of the quality suite, written line by line as rows complete; colours only on a terminal."""

from rich.console import Console
from rich.text import Text

from .summary import LEAST_MEDIAN_RATE, LEAST_RATE, LEAST_SHARE, Row, Summary

HEADER = (
    f"{'case':<36} {'seed':>4} {'faulty':>7} {'ref':>7} {'after':>7} {'IR':>6} "
    f"{'status':<13} {'fit s':>6} {'fix s':>7} {'ratio':>6}  changed"
)


def _number(value: float | None, width: int, digits: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:>{width}.{digits}f}"


def _style(row: Row) -> str:
    if row.error or (row.changed and row.kind == "healthy") or (row.claimed and row.kind == "hopeless"):
        return "red"
    if row.rate is not None:
        return "green" if row.rate >= LEAST_RATE else "yellow"
    return ""


def print_header(console: Console) -> None:
    """Write the names of the columns."""
    console.print(Text(HEADER, style="bold"), soft_wrap=True)


def print_row(console: Console, row: Row) -> None:
    """Write one finished row."""
    remarks = [*row.changes]
    if row.error:
        remarks.append(f"! {row.error}")
    elif row.faulty_error and not row.changes:
        remarks.append(f"(faulty run: {row.faulty_error[:60]})")
    line = (
        f"{row.kind[:4] + '/' + row.case:<36.36} {row.seed:>4} {_number(row.faulty, 7, 3)} "
        f"{_number(row.reference, 7, 3)} {_number(row.repaired, 7, 3)} {_number(row.rate, 6, 2)} "
        f"{row.status or '-':<13} {_number(row.faulty_seconds, 6, 1)} {_number(row.repair_seconds, 7, 1)} "
        f"{_number(row.time_ratio, 6, 1)}  {', '.join(remarks)}"
    )
    console.print(Text(line, style=_style(row)), soft_wrap=True)


def print_summary(console: Console, summary: Summary) -> None:
    """Write the bars and how the rows stand against them."""
    console.print()
    lines = [f"rows: {len(summary.rows)}, ended in an error: {len(summary.errors)}"]
    if summary.median_rate is not None and summary.share is not None:
        lines.append(f"median IR of {len(summary.rates)} broken rows: {summary.median_rate:.2f} ({LEAST_MEDIAN_RATE})")
        lines.append(f"share with IR >= {LEAST_RATE}: {summary.share:.0%} ({LEAST_SHARE:.0%})")
    if summary.without_gap:
        names = ", ".join(f"{row.case}:{row.seed}" for row in summary.without_gap)
        lines.append(f"broken rows whose reference is no better than the faulty run: {names}")
    lines.append(f"healthy rows changed: {len(summary.changed)} of {len(summary.kind('healthy'))} (0)")
    lines.append(f"hopeless rows claimed: {len(summary.claimed)} of {len(summary.kind('hopeless'))} (0)")
    if summary.time_ratio is not None:
        lines.append(f"median time of the repair, in faulty runs: {summary.time_ratio:.1f}")
    for line in lines:
        console.print(Text(line), soft_wrap=True)
    verdict = Text("all bars hold", "bold green") if summary.passed else Text("a bar does not hold", "bold red")
    console.print(verdict)
