"""Fingerprints: the same for the same bytes, another for others, and nothing is run to take one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from autofix.errors import FixYourCall
from autofix.sources import fingerprint, identify


def test_files(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc")
    first = identify(str(path))
    os.utime(path, (0, 0))
    assert identify(str(path)) == first
    (tmp_path / "b.bin").write_bytes(b"abc")
    assert identify(str(tmp_path / "b.bin")) == first
    path.write_bytes(b"abd")
    assert identify(str(path)) != first


def test_large_files_are_sampled_with_both_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprint, "WHOLE_BYTES", 400)
    monkeypatch.setattr(fingerprint, "PIECE_BYTES", 100)
    path = tmp_path / "a.bin"
    content = bytearray(2_000)
    path.write_bytes(content)
    first = identify(str(path))
    for place in (0, 1_999, 650):
        changed = bytearray(content)
        changed[place] = 1
        path.write_bytes(changed)
        assert identify(str(path)) != first
    path.write_bytes(bytes(1_999))
    assert identify(str(path)) != first


def test_pipes_and_devices_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (str(tmp_path / "pipe"), "/dev/zero"):
        with pytest.raises(FixYourCall, match="a pipe or a device"):
            identify(path)


def test_folders_by_names_and_contents(tmp_path):
    (tmp_path / "f" / "sub").mkdir(parents=True)
    (tmp_path / "f" / "sub" / "a").write_bytes(b"1")
    first = identify(str(tmp_path / "f"))
    (tmp_path / "f" / "sub" / "a").rename(tmp_path / "f" / "sub" / "b")
    assert identify(str(tmp_path / "f")) != first


def test_code_is_read_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pack").mkdir()
    for name in ("m.py", "pack/__init__.py", "pack/part.py"):
        (tmp_path / name).write_text("open('canary', 'w')")
    names = [identify(spec) for spec in ("m.py:a", "m.py:b", "pack.part:a", "pack:a")]
    assert len(set(names)) == 2  # by the name of the function: files of equal content are equal
    assert not (tmp_path / "canary").exists()
    (tmp_path / "pack/part.py").write_text("1")
    assert identify("pack.part:a") != names[2]
    with pytest.raises(FixYourCall, match="no module"):
        identify("pack.nowhere:a")


def test_data_of_scikit_learn():
    assert identify("sklearn:digits") != identify("sklearn:iris")


def test_nothing_heavy_is_imported():
    code = (
        "import sys; from autofix.sources import identify; identify('sklearn:iris'); print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False"
