"""What the calibration prints: symptoms, mutations, what was left out and missed, and the bars."""

from __future__ import annotations

from rich.console import Console

from tests.benchmarks.table import Bar, Report

from .mutations import MUTATIONS
from .summary import HEALTHY_KINDS, HEALTHY_RUNS, LEAST_NAMED, LEAST_RECALL, MOST_ALARMS, Summary
from .verdict import Verdict

# Characters of findings in a line, so that what was missed stays on it.
FINDINGS = 130


def print_all(console: Console, summary: Summary, *, verbose: bool) -> bool:
    """Prints the tables; returns whether every bar holds."""
    symptoms(summary).print(console)
    mutations(summary, verbose=verbose).print(console)
    if verbose:
        misses(summary).print(console)
    final = bars(summary)
    final.print(console)
    return final.passed


def symptoms(summary: Summary) -> Report:
    """One line a symptom."""
    columns = ("symptom", "runs", "recall", "first", "false alarms", "notes on healthy")
    report = Report("Symptoms: found above a note in the broken runs that bring it, and in healthy ones", columns)
    healthy = max(1, len(summary.healthy))
    for line in summary.lines:
        recall = _share(line.recall) if line.known else "not available yet"
        first = _share(line.first_share) if line.known else ""
        alarms = f"{line.alarms} ({line.alarms / healthy:.1%})" if line.known else ""
        cells = [line.symptom, str(line.runs), recall, first, alarms, str(line.notes) if line.known else ""]
        report.add(cells, {"symptom": line.symptom})
    return report


def mutations(summary: Summary, *, verbose: bool) -> Report:
    """One line a mutation: the confusion table."""
    report = Report(
        "Mutations: what was named first", ("mutation", "counted", "left out", "cause first", "named first")
    )
    for row in summary.rows:
        first = ", ".join(f"{name} {count}" for name, count in row.first.items())
        share = _share(row.named / row.counted if row.counted else None) if row.available else "not available yet"
        report.add([row.mutation, str(row.counted), str(len(row.left_out)), share, first], {"mutation": row.mutation})
    report.notes += [
        f"left out, because it did not break: {name} lost {lost:.0%} of what its healthy twin gained"
        for row in summary.rows
        for name, lost in row.left_out.items()
        if verbose
    ]
    return report


def misses(summary: Summary) -> Report:
    """Every run in which something was missed, misnamed or invented, with all that was found."""
    report = Report("Misses and false alarms", ("run", "what", "score", "holdout", "reach", "findings"))
    by_name = {item.job.name: item for item in summary.verdicts}
    for item in summary.unsound:
        _add(report, item, "not healthy")
    for item in summary.healthy:
        if item.found or item.stuck:
            _add(report, item, "false alarm" + (", stuck" if item.stuck else ""))
    for row in summary.rows:
        for symptom, names in row.missed.items():
            for name in names:
                _add(report, by_name[name], f"misses {symptom}")
    for row in summary.rows:
        if row.available and row.named < row.counted:
            mutation = MUTATIONS[row.mutation]
            for item in summary.counted:
                named = item.first(noted=mutation.noted) in mutation.causes
                if item.job.mutation == row.mutation and not named:
                    _add(report, item, "misnamed")
    return report


def bars(summary: Summary) -> Report:
    """The limits."""
    report = Report("Bars", ("over all", "runs"))
    kinds = len({item.job.kind for item in summary.healthy})
    report.add(["healthy runs that count", str(len(summary.healthy))], {})
    report.add(["healthy programs whose runs are not healthy", str(len(summary.unsound))], {})
    report.add(["broken runs that count", str(len(summary.counted))], {})
    report.add(["runs with a rule that failed", str(len(summary.failed))], {})
    healthy = len(summary.healthy)
    report.bars += [Bar(f"recall of {line.symptom}", line.recall, ">=", LEAST_RECALL)
                    for line in summary.lines if line.runs and line.known]  # fmt: skip
    report.bars += [
        Bar("healthy runs", healthy, ">=", HEALTHY_RUNS),
        Bar("healthy kinds", kinds, ">=", HEALTHY_KINDS),
        Bar("healthy runs with a finding above a note", _part(len(summary.alarmed), healthy), "<=", MOST_ALARMS),
        Bar("healthy runs called stuck", _part(len(summary.stuck), healthy), "<=", MOST_ALARMS),
        Bar("broken runs whose cause is named first", summary.named, ">=", LEAST_NAMED),
    ]
    report.bars += [Bar(f"healthy runs with a note of {line.symptom}", _part(line.alarms + line.notes, healthy), "<=",
                        MOST_ALARMS) for line in summary.lines if line.noted and line.known]  # fmt: skip
    missing = [line.symptom for line in summary.lines if not line.known]
    without = [line.symptom for line in summary.lines if line.known and not line.runs]
    if missing:
        report.notes.append(f"not available yet: {', '.join(missing)}")
    if without:
        report.notes.append(f"no broken run brings: {', '.join(without)}")
    report.notes += [
        f"named first by the narrowest name of the cause: {_share(summary.narrowly)}",
        f"named first with consequences counted as names: {_share(summary.strictly)}",
    ]
    return report


def _add(report: Report, item: Verdict, what: str) -> None:
    each: dict[str, float] = {}
    for finding in item.findings:
        each.setdefault(finding.symptom, finding.severity)
    found = ", ".join(f"{symptom} {severity:.2f}" for symptom, severity in each.items()) or (item.error or "-")
    numbers = [_score(item.score), _score(item.holdout), _score(item.signal)]
    report.add([item.job.name, what, *numbers, found[:FINDINGS]], {})


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _part(count: int, of: int) -> float | None:
    return count / of if of else None
