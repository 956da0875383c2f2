"""Scripts of users: no guard is needed, and nothing outlives them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.isolation.processes import below, gone
from tests.isolation.test_storm import ENV

SCRIPT = Path(__file__).with_name("unguarded.py")
OWNER = """
import sys, time
from tests.isolation import fakes
from autofix.isolation.arrays import packed
from autofix.isolation.host import Host
from autofix.isolation.pool import Pool
host = Host.start(preload=fakes.QUICK)
host.await_ready()
pool = Pool(lambda: host.client, packed(fakes.nothing), packed(fakes.Trainer), 1)
pool.open()
print(host.client.folder, flush=True)
if sys.argv[1] == "waits":
    time.sleep(600)
"""


@pytest.mark.parametrize("ends", ["is killed", "waits for nothing"])
def test_owner_of_a_pool_leaves_nothing(ends):
    """Not even where it never closes its pool."""
    word = "waits" if ends == "is killed" else "ends"
    owner = subprocess.Popen([sys.executable, "-c", OWNER, word], env=ENV, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    folder = Path(owner.stdout.readline().strip())
    everything = below(owner.pid)
    if ends == "is killed":
        assert len(everything) == 2
        assert folder.exists()
        owner.send_signal(signal.SIGKILL)
    owner.communicate(timeout=60)
    assert gone(everything) == []
    until = time.monotonic() + 30
    while folder.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not folder.exists()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_script_without_a_guard():
    run = subprocess.run(
        [sys.executable, SCRIPT, "5", "alone", "apart", "mine"], env=ENV, capture_output=True, text=True, timeout=800
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("begins") == 1
    found = json.loads(run.stdout)
    for name in ("alone", "apart"):
        del found[name]["patch"]["layers"]  # counted on from one model to the next
    assert found["alone"] == found["apart"]
    assert found["alone"]["status"] == "repaired"
    assert found["apart"]["errors"] == []
    (note,) = [note for note in found["mine"]["notes"] if "made in this process" in note]
    assert "share is defined in the script that was started" in note


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_a_script(number):
    script = subprocess.Popen([sys.executable, SCRIPT, "1000000", "apart"], env=ENV, stdout=subprocess.PIPE, text=True)
    while len(below(script.pid)) < 2:  # the server and a slot
        assert script.poll() is None
        time.sleep(0.2)
    time.sleep(3.0)  # it trains, or prepares to
    everything = below(script.pid)
    script.send_signal(number)
    said, _ = script.communicate(timeout=300)
    assert gone(everything) == []
    if number == signal.SIGINT:
        assert "interrupted by the user" in json.loads(said)["apart"]["notes"]
