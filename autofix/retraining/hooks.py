"""Telling others: a command or a webhook hears what happened. Their failure never fails the run."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autofix.files import finite

# Seconds before the first repetition of a webhook; each further one waits twice as long.
FIRST_PAUSE = 1.0
# Answers that may be another one a second later: too many requests, and the server's own faults.
PASSING = frozenset({429, 500, 502, 503, 504})
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class Hook:
    """Who is told, of what, how.

    Attributes:
        events: Names of the events: "promoted", "kept", "failed", "drift".
        command: Program and arguments, run without a shell; empty for a webhook.
        webhook: URL that gets the event; empty for a command. `${NAME}` is read from the environment.
        headers: Headers of the request; likewise.
        timeout: Seconds that it may take, each time.
        retries: Repetitions of a webhook that did not go through.
    """

    events: frozenset[str]
    command: tuple[str, ...] = ()
    webhook: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    timeout: float = 30.0
    retries: int = 2

    @property
    def name(self) -> str:
        """What it is called where somebody reads it: nothing of it can be a secret."""
        if self.command:
            return f"command {os.path.basename(self.command[0])}"  # noqa: PTH119 (no path need be meant)
        try:
            host = urllib.parse.urlsplit(self.webhook).hostname or "$"
        except ValueError:
            host = "$"
        return f"webhook at {host if '$' not in host else 'a host from the environment'}"


def notify(
    hooks: Sequence[Hook],
    event: str,
    document: Mapping[str, Any],
    *,
    environment: Mapping[str, str] = os.environ,
    pause: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Tells every hook that listens to an event.

    Args:
        hooks: All hooks.
        event: Name of the event.
        document: What happened, JSON-ready; the hook gets it with `event` in it.
        environment: Where `${NAME}` is looked up, and what a command inherits.
        pause: Waits so many seconds.

    Returns:
        One sentence for each hook that failed.
    """
    told = finite({"event": event, **document})
    failed = []
    for hook in hooks:
        if event not in hook.events:
            continue
        trouble = _run(hook, told, environment) if hook.command else _post(hook, told, environment, pause)
        if trouble is not None:
            failed.append(f"hook for {event}, {hook.name}: {trouble}")
    return failed


def _run(hook: Hook, told: Mapping[str, Any], environment: Mapping[str, str]) -> str | None:
    facts = {
        f"AUTOFIX_{key.upper()}": str(told[key])
        for key in ("event", "status", "version", "current", "fingerprint", "models", "reason")
        if told.get(key) is not None
    }
    try:
        # A group of its own: what the command has started goes with it when the time is up.
        process = subprocess.Popen(
            hook.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**environment, **facts},
            start_new_session=True,
        )
    except OSError as error:
        return f"it cannot be started ({error.strerror})"
    try:
        _, stderr = process.communicate(json.dumps(told).encode("utf-8"), timeout=hook.timeout)
    except subprocess.TimeoutExpired:
        return f"it took longer than {hook.timeout:g} s"
    finally:
        _end_group(process)
    if process.returncode == 0:
        return None
    words = stderr.decode("utf-8", "replace").strip().splitlines()
    return f"it ended with {process.returncode}" + (f" ({words[-1][:200]})" if words else "")


def _end_group(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _post(
    hook: Hook, told: Mapping[str, Any], environment: Mapping[str, str], pause: Callable[[float], None]
) -> str | None:
    try:
        url = _filled(hook.webhook, environment)
        headers = {name: _filled(value, environment) for name, value in hook.headers}
    except KeyError as error:
        return f"the environment variable {error.args[0]} is not set"
    if not url.startswith(("http://", "https://")):
        return "its address must begin with http:// or https://"
    trouble = None
    for attempt in range(hook.retries + 1):
        if attempt:
            pause(FIRST_PAUSE * 2 ** (attempt - 1))
        trouble, again = _posted(url, headers, told, hook.timeout)
        if trouble is None or not again:
            break
    return trouble


def _posted(url: str, headers: Mapping[str, str], told: Mapping[str, Any], timeout: float) -> tuple[str | None, bool]:
    """Posts once; returns what went wrong and whether another attempt may help."""
    try:
        request = urllib.request.Request(
            url, json.dumps(told).encode("utf-8"), {"Content-Type": "application/json", **headers}, method="POST"
        )
        with urllib.request.build_opener(_StayHere).open(request, timeout=timeout):
            return None, False
    except urllib.error.HTTPError as error:
        return f"it answered {error.code}", error.code in PASSING
    except urllib.error.URLError as error:
        return f"it cannot be reached ({type(error.reason).__name__})", True
    except OSError as error:  # its text may hold the address
        return f"it cannot be reached ({type(error).__name__})", True
    except (http.client.HTTPException, ValueError) as error:
        return f"it is no address, or its answer is none ({type(error).__name__})", False


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would carry the headers, secrets included, to another host."""

    def redirect_request(self, *args: Any) -> None:
        """Returns None: the redirect becomes an error."""


def _filled(text: str, environment: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: environment[match[1]], text)
