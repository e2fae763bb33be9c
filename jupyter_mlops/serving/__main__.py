"""The process; see `command`."""

from .command import main

raise SystemExit(main())
