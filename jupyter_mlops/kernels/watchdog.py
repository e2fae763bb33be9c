"""Ends the kernels of a process that is gone, however it went; run alone, by nothing but Python itself.

What comes in says which process groups there are, a line each: ``+123``, and ``-123`` once it has ended. When no
more can come, whoever started us is gone, and what is left of them is killed.
"""

import contextlib
import os
import signal
import sys


def main() -> None:
    """Listen until the end."""
    groups: set[int] = set()
    for line in sys.stdin:
        change = groups.add if line[0] == "+" else groups.discard
        change(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # ended just now
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
