"""Waits until the host has put this process under its limits, and becomes a kernel.

Run as `python -m inside.launch LEASH SETTINGS COMMAND...`; the kernel provisioner does.
"""

import json
import os
import socket
import sys
from typing import Any

from . import kernel_calls
from .isolate import HOME, become_nobody, limit_itself

__all__ = ["main"]


def main(leash: socket.socket, settings: dict[str, Any], command: list[str]) -> None:
    """Give up rights, say so, wait, and go on as another program."""
    become_nobody(settings["uid"])
    leash.send(b"?")
    if leash.recv(1) != b"!":
        return
    limit_itself({int(number): value for number, value in settings["rlimits"].items()})
    kernel_calls.drop_capabilities()
    kernel_calls.forbid_new_privileges()
    kernel_calls.load_filter(bytes.fromhex(settings["filter"]))
    os.chdir(HOME)
    os.environ.update(settings["environment"])
    leash.close()
    os.execv(command[0], command)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), json.loads(sys.argv[2]), sys.argv[3:])
