"""Escaping: out of the process, the folder, the namespaces, and into the kernel or the network."""

from tests.attacks.escape_files import FILES, PROCESSES
from tests.attacks.escape_kernel import KERNEL, NETWORK

ESCAPE = [*FILES, *PROCESSES, *KERNEL, *NETWORK]
