"""Hooks, against a real server on this machine and real commands; their failure is a sentence, never an error."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from autofix.retraining.hooks import Hook, notify

EVENT = {
    "status": "promoted",
    "version": 3,
    "current": 3,
    "reason": "better",
    "models": "/models",
    "score": float("nan"),
}
ALL = frozenset({"promoted", "kept", "failed", "drift"})


class Listener(BaseHTTPRequestHandler):
    """Answers with the next of `codes`, 200 when they have run out, and keeps what came."""

    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.came.append((self.path, dict(self.headers), json.loads(body)))
        code = server.codes.pop(0) if server.codes else 200
        if code == 0:  # never answers
            server.released.wait(30)
            return
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Is silent."""


@pytest.fixture
def server():
    found: Any = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    found.daemon_threads = True
    found.came, found.codes, found.released = [], [], threading.Event()
    found.url = f"http://127.0.0.1:{found.server_port}"
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    found.released.set()
    found.shutdown()
    thread.join()
    found.server_close()


def told(hook: Hook, event: str = "promoted", **environment: str) -> list[str]:
    return notify(
        [hook], event, EVENT, environment={"PATH": "/usr/bin:/bin", **environment}, pause=lambda seconds: None
    )


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_a_webhook_gets_the_event_and_secrets_from_the_environment(server):
    hook = Hook(ALL, webhook=server.url + "/hooks/${TOKEN}", headers=(("Authorization", "Bearer ${TOKEN}"),))
    assert told(hook, TOKEN="s3cret") == []
    [(path, headers, body)] = server.came
    assert path == "/hooks/s3cret"
    assert headers["Authorization"] == "Bearer s3cret"
    assert headers["Content-Type"] == "application/json"
    assert body == {"event": "promoted", **EVENT, "score": None}


def test_only_the_events_that_were_asked_for(server):
    hook = Hook(frozenset({"drift"}), webhook=server.url)
    assert told(hook, "promoted") == []
    assert server.came == []
    assert told(hook, "drift") == []
    assert len(server.came) == 1


def test_what_passes_is_tried_again_a_bounded_number_of_times(server):
    server.codes = [503, 500]
    assert told(Hook(ALL, webhook=server.url, retries=2)) == []
    assert len(server.came) == 3
    server.codes = [503] * 10
    assert "answered 503" in told(Hook(ALL, webhook=server.url, retries=1))[0]
    assert len(server.came) == 5


def test_what_is_refused_is_not_tried_again(server):
    server.codes = [403]
    assert "answered 403" in told(Hook(ALL, webhook=server.url))[0]
    assert len(server.came) == 1


def test_a_redirect_does_not_carry_secrets_away(server):
    server.codes = [302]
    assert "answered 302" in told(Hook(ALL, webhook=server.url))[0]
    assert len(server.came) == 1


def test_a_server_that_never_answers_is_given_up(server):
    server.codes = [0]
    assert "cannot be reached" in told(Hook(ALL, webhook=server.url, timeout=0.2, retries=0))[0]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1/${TOKEN}", "cannot be reached"),
        ("${TOKEN}", "http:// or https://"),
        ("http://${MISSING}/x", "MISSING is not set"),
        ("http://127.0.0.1:port/${TOKEN}", "no address"),
        ("http://[${TOKEN}", "no address"),
        ("file:///etc/${TOKEN}", "http:// or https://"),
    ],
)
def test_no_message_holds_a_secret(url, words):
    [trouble] = told(Hook(ALL, webhook=url, retries=0), TOKEN="s3cret")
    assert words in trouble
    assert "s3cret" not in trouble


def test_a_command_gets_json_and_the_environment(tmp_path):
    path = tmp_path / "came.json"
    code = f"""
import json, os, sys
json.dump([json.load(sys.stdin), dict(os.environ)], open({str(path)!r}, "w"))
"""
    assert told(Hook(ALL, command=python(code)), HOME="/home/me") == []
    body, environment = json.loads(path.read_text())
    assert body == {"event": "promoted", **EVENT, "score": None}
    assert environment["AUTOFIX_EVENT"] == "promoted"
    assert environment["AUTOFIX_VERSION"] == "3"
    assert environment["AUTOFIX_MODELS"] == "/models"
    assert environment["HOME"] == "/home/me"
    assert "AUTOFIX_FINGERPRINT" not in environment


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (python("import sys; sys.exit('no such channel')"), "ended with 1 (no such channel)"),
        (("/no/such/program",), "cannot be started (No such file or directory)"),
        (python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"), "ended with -9"),
    ],
    ids=["fails", "missing", "killed"],
)
def test_a_command_that_fails_is_a_sentence(command, words):
    [trouble] = told(Hook(ALL, command=command))
    assert words in trouble


def test_a_command_that_hangs_ends_with_what_it_started(tmp_path):
    path = tmp_path / "pid"
    code = f"""
import subprocess, time
child = subprocess.Popen(["sleep", "600"])
open({str(path)!r}, "w").write(str(child.pid))
time.sleep(600)
"""
    [trouble] = told(Hook(ALL, command=python(code), timeout=2.0))
    assert "longer than 2 s" in trouble
    if path.exists():  # on a machine that starts Python within the time
        with contextlib.suppress(FileNotFoundError):
            assert "State:\tZ" in Path(f"/proc/{path.read_text()}/status").read_text()


def test_a_command_that_reads_nothing_is_no_failure():
    assert told(Hook(ALL, command=python("pass"))) == []


def test_one_hook_that_fails_keeps_no_other_from_being_told(server):
    hooks = [Hook(ALL, command=("/no/such/program",)), Hook(ALL, webhook=server.url)]
    assert len(notify(hooks, "kept", EVENT)) == 1
    assert len(server.came) == 1


def test_names_tell_no_secret():
    assert Hook(ALL, webhook="https://chat.example.com/x/${TOKEN}").name == "webhook at chat.example.com"
    assert "environment" in Hook(ALL, webhook="https://${HOST}/x").name
    assert Hook(ALL, command=("/usr/bin/notify", "--token", "x")).name == "command notify"
