"""A scheduler of one page, where there is no other: retrains every so often, forever or for a number of rounds.

python loop.py pipeline.yaml --every 3600
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

TRY_LATER, INTERRUPTED = 75, (130, 143)
# Seconds until another attempt where something is in the way: a lock, a full disk.
SOON = 300.0


def retrain(pipeline: str) -> dict:
    """Returns the last line of one retraining; of one that was killed, why there is none."""
    done = subprocess.run([sys.executable, "-m", "autofix", "retrain", pipeline], stdout=subprocess.PIPE, text=True)
    if not done.stdout:
        return {"status": "killed", "reason": f"it ended with {done.returncode}", "exit_code": TRY_LATER}
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pipeline")
    parser.add_argument("--every", type=float, default=86_400.0, help="seconds from one beginning to the next")
    parser.add_argument("--rounds", type=int, help="how many; without end if left out")
    settings = parser.parse_args()
    rounds = 0
    while settings.rounds is None or rounds < settings.rounds:
        began = time.monotonic()
        line = retrain(settings.pipeline)
        print(f"{line['status']}: {line['reason']}", flush=True)
        if line["exit_code"] in INTERRUPTED:
            sys.exit(line["exit_code"])
        rounds += 1
        pause = SOON if line["exit_code"] == TRY_LATER else settings.every - (time.monotonic() - began)
        if rounds != settings.rounds:
            time.sleep(max(0.0, pause))


if __name__ == "__main__":
    main()
