"""Workers for a sweep on a Dask cluster, which only launches them: the sweep's database hands out the cells.

AUTOFIX_STORAGE=postgresql://me@host/autofix python with_dask.py tcp://scheduler:8786 digits
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any


def work(study: str, storage: str, folder: str) -> int:
    """Runs one worker until the sweep is done; returns its exit code."""
    command = [sys.executable, "-m", "autofix", "worker", "--study", study, "--wait", "10m", "--folder", folder]
    # In the environment, not on the command line, which everybody on the machine can see.
    return subprocess.run(command, env={**os.environ, "AUTOFIX_STORAGE": storage}, check=False).returncode


def launch(client: Any, study: str, storage: str, folder: str = ".") -> list[int]:
    """Starts one worker on each machine of a cluster and waits for all of them.

    Args:
        client: A `dask.distributed.Client`.
        study: Name of the sweep.
        storage: Its database.
        folder: Where the models and data of the sweep are on these machines.
    """
    machines = list(client.scheduler_info()["workers"])
    # Not pure: equal calls are workers of their own. Pinned: one worker a machine.
    tasks = [
        client.submit(work, study, storage, folder, workers=[machine], pure=False, allow_other_workers=False)
        for machine in machines
    ]
    return list(client.gather(tasks))


if __name__ == "__main__":
    from dask.distributed import Client

    codes = launch(Client(sys.argv[1]), sys.argv[2], os.environ["AUTOFIX_STORAGE"])
    print(f"{codes.count(0)} of {len(codes)} workers saw the sweep done")
    sys.exit(max(codes, default=0))
