"""Ends the kernels of a process that is gone, however it went; run alone, by nothing but Python itself.

What comes in says which process groups there are, a line each: ``+123``, and ``-123`` once it has ended; and the
path of the directory that they use. When no more can come, whoever started us is gone, and what is left is ended and
removed.
"""

import contextlib
import os
import shutil
import signal
import sys


def main() -> None:
    """Listen until the end."""
    groups: set[int] = set()
    directory = ""
    for line in sys.stdin:
        if line.startswith("/"):
            directory = line.rstrip("\n")
            continue
        change = groups.add if line[0] == "+" else groups.discard
        change(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # ended just now
            os.killpg(group, signal.SIGKILL)
    if directory:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
