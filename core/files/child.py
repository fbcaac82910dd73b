"""
What runs in the child process of `core.files.apart`: one task, within limits that the operating system enforces.

It imports nothing but that task's module, so that it starts quickly.
"""

import json
import resource
import sys
from importlib import import_module

from core.errors import InvalidFile, InvalidInput

# What the child ends with when the task itself says what is wrong with the file.
REFUSED = 3
FAULTS = {fault.__name__: fault for fault in (InvalidFile, InvalidInput)}
# Bytes: a workbook of a million different texts takes some 500 MiB.
MEMORY_BYTES = 1 << 30


def main(cpu_s: int, module: str, name: str, *arguments: str) -> int:
    """Write what the task called *name* returns to stdout, or what it raises; return the exit status."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        found: bytes = getattr(import_module(module), name)(*arguments)
    except InvalidInput as error:
        fault = "InvalidFile" if isinstance(error, InvalidFile) else "InvalidInput"
        found = json.dumps([fault, error.message, error.hint, error.field]).encode()
        sys.stdout.buffer.write(found)
        return REFUSED
    sys.stdout.buffer.write(found)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), *sys.argv[2:]))
