"""The history: whatever a crash leaves of its last line, what was finished is read."""

from __future__ import annotations

import json

from autofix.retraining import history


def test_what_is_appended_is_read(tmp_path):
    path = tmp_path / "models" / "history.jsonl"
    assert history.read(path) == []
    for number in range(3):
        history.append(path, {"number": number, "score": float("nan")})
    assert history.read(path) == [{"number": number, "score": None} for number in range(3)]
    assert len(path.read_text().splitlines()) == 3


def test_a_line_that_is_torn_anywhere_costs_itself_alone(tmp_path):
    path = tmp_path / "history.jsonl"
    for number in range(3):
        history.append(path, {"number": number, "text": "ä" * 5})
    whole = path.read_bytes()
    begin = whole.rindex(b"\n", 0, -1) + 1
    for end in range(begin, len(whole)):
        path.write_bytes(whole[:end])
        last = [] if end < len(whole) - 1 else [2]  # without its line break it is whole all the same
        assert [record["number"] for record in history.read(path)] == [0, 1, *last]
        history.append(path, {"number": 3})
        assert [record["number"] for record in history.read(path)] == [0, 1, *last, 3]


def test_what_is_no_record_is_passed_over(tmp_path):
    path = tmp_path / "history.jsonl"
    path.write_text('[1]\nnull\n{"number": 1}\nnonsense\n\n' + json.dumps({"number": 2}))
    assert [record["number"] for record in history.read(path)] == [1, 2]
