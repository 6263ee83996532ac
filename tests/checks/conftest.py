"""The toy suite in its three modes, and students on both transports."""

import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from seqlib.checks.agent import answer_requests
from seqlib.checks.proxy import Student
from seqlib.checks.recorded import RecordedCases, record_cases
from seqlib.checks.registry import Suite, load_suite
from seqlib.checks.socket_transport import SocketTransport
from seqlib.checks.values import Limits
from seqlib.checks.wire import Message, receive

TOY = Path(__file__).with_name("toy_checks.py")


def public_text(source: str) -> str:
    """The public half of the toy suite: no reference, no mistake's code, no expected value."""
    head, tail = source.split("@inputs", 1)
    names = re.findall(r'@mistake\("([^"]+)", replaces="\w+"\)\n(?:def|class) (\w+)', head)
    lines = "\n".join(f'{name} = named("{name}", "{sentence}")' for sentence, name in names)
    tail = re.sub(r", lambda: [^\n]*?(?=(?:, (?:rtol|what)=[^\n]*)?\)\n)", "", tail)
    imports = "import torch\nfrom seqlib.checks.registry import check, inputs, named\n"
    return f"{imports}\n{lines}\n\n\n@inputs{tail}"


@pytest.fixture(scope="session")
def suite() -> Suite:
    """The toy suite with its references."""
    return load_suite(TOY, "toy")


@pytest.fixture(scope="session")
def public_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy checks as a student has them."""
    path = tmp_path_factory.mktemp("toy") / "checks_public.py"
    path.write_text(public_text(TOY.read_text(encoding="utf-8")), encoding="utf-8")
    assert "lambda" not in path.read_text(encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def public_suite(public_file: Path) -> Suite:
    """The toy suite as a student has it."""
    return load_suite(public_file, "toy")


@pytest.fixture(scope="session")
def cases(suite: Suite) -> RecordedCases:
    """What the release records of the toy suite."""
    return record_cases(suite)


@pytest.fixture
def socket_student() -> Iterator[Callable[[Mapping[str, Any]], Student]]:
    """Make a student whose functions are reached over a socket."""
    open_sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def make(namespace: Mapping[str, Any]) -> Student:
        host, agent = socket.socketpair()
        open_sockets.append(host)
        nonce = secrets.token_hex(8)
        thread = threading.Thread(target=answer_requests, args=(agent, nonce, namespace), daemon=True)
        thread.start()
        threads.append(thread)
        return Student(SocketTransport(host, nonce))

    yield make
    for host in open_sockets:
        host.close()
    for thread in threads:
        thread.join(timeout=5)


@pytest.fixture
def forger() -> Iterator[Callable[..., Student]]:
    """Make a student whose process answers each request with bytes of its own choice; None hangs up."""
    ends: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def make(
        reply: Callable[[Message], bytes | None], limits: Limits | None = None, call_limit_s: float = 5.0
    ) -> Student:
        host, agent = socket.socketpair()
        ends.extend((host, agent))
        thread = threading.Thread(target=_answer_with, args=(agent, reply), daemon=True)
        thread.start()
        threads.append(thread)
        return Student(SocketTransport(host, "nonce", limits or Limits(), call_limit_s))

    yield make
    for end in ends:
        end.close()
    for thread in threads:
        thread.join(timeout=5)


def _answer_with(agent: socket.socket, reply: Callable[[Message], bytes | None]) -> None:
    try:
        while True:
            data = reply(receive(agent, arguments=True))
            if data is None:
                agent.close()
                return
            agent.sendall(data)
    except (OSError, EOFError):
        return
