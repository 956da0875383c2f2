"""`python -m autofix.isolation.spawned`: a child of the server where processes cannot be forked."""

from __future__ import annotations

import signal
import socket
import sys

from autofix.isolation import child

if __name__ == "__main__":
    entry, slot, folder, parent, *handed = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connection, written, *server = map(int, handed)
    birth = {"entry": entry, "slot": bool(slot), "folder": folder}
    own = socket.socket(fileno=server[0]) if server else None
    sys.exit(child.live(birth, [connection, written], own, int(parent)))
