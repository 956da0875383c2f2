"""The calibration: healthy runs, the same runs broken on purpose, and what the symptoms say of both.

Run it with `python -m tests.calibration` from the root of the repository. What every run showed is kept, so that a
changed rule is judged again on all of them in seconds: `python -m tests.calibration --rejudge`.

What the words mean here:
    healthy run: the unbroken program of a kind at a seed. It counts when it gains at least four fifths of what the
        yardstick models gain over chance, on rows that no rule looks at.
    broken run: a healthy program with one mutation. It counts when it lost, against its healthy twin on those same
        rows, what the mutation says that it costs; other runs are left out and listed with what they lost.
    found: a finding of the symptom with a severity above that of a note (0.4). Some symptoms are notes by design; of
        these a note is enough, and a note on a healthy run is a false alarm.
    named first: the first finding above a note whose symptom is a cause. That a run is on a plateau, slow, collapsed,
        underfitted or not over yet follows from the cause; `CONSEQUENCES` in `verdict.py` lists what does.
    cause: each mutation lists the symptoms that name it, the narrowest first; any of them counts as the mutated one.
"""
