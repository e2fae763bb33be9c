"""Models that this machine serves, without containers: a supervisor for each deployment, its replicas, and a front.

::

    client ── TCP ──▶ front ── Unix sockets ──▶ replica-1, replica-2, …    (python -m jupyter_mlops.serving)
                        ▲ its listening socket      ▲ traffic.json
                        └────── supervisor ─────────┘  wanted.json ◀── LocalTarget.apply

Each is a process of its own and may die alone: the supervisor restarts replicas and the front, which listens on a
socket that both hold, so that nobody is refused meanwhile; the front starts the supervisor again, which adopts what
is there. They meet in small files of one folder, each replaced as a whole: see `places`.
"""

from .target import LocalTarget

__all__ = ["LocalTarget"]
