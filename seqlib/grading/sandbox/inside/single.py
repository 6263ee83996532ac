"""One submission in a sandbox of its own, or in none: the slow start, where a warm parent can't fork into namespaces.

Run as `python -m inside.single LEASH CELLS SETTINGS`; the host does.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from . import kernel_calls
from .isolate import become_nobody, limit_itself
from .supervise import supervise
from .warm_parent import prepare

__all__ = ["main"]


def main(leash: socket.socket, cells: socket.socket, settings: dict[str, Any]) -> None:
    """Import, say so, and run one submission."""
    try:
        become_nobody(settings["uid"])
        leash.send(b"?")  # the host puts this process into its group and says go
        if leash.recv(1) != b"!":
            return
        limit_itself({int(number): value for number, value in settings["rlimits"].items()})
        made = prepare(settings["modules"])
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if settings["filter"]:
            kernel_calls.drop_capabilities()
            kernel_calls.forbid_new_privileges()
            kernel_calls.load_filter(bytes.fromhex(settings["filter"]))
        supervise(leash, cells, made, Path(settings["home"]), Path(settings["public"]), settings["environment"])
    except BaseException as error:
        leash.send(json.dumps({"fault": f"{type(error).__name__}: {error}"}).encode())
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), socket.socket(fileno=int(sys.argv[2])), json.loads(sys.argv[3]))
