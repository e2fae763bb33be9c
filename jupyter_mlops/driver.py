"""``python -m jupyter_mlops.driver``: drives one run to its end, as `runner.launch` orders on standard input."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from .catalog.records import Run
from .errors import Conflict, MlopsError
from .events import TERMINAL
from .settings import Settings
from .workspace import Workspace


def main() -> int:
    """0 when the run is over or somebody else drives it, the error's exit code when it could not be driven."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    # jsonschema checks IRIs where this is installed, and importing it takes a second; nothing here checks one.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    order: dict[str, Any] = json.load(sys.stdin)
    os.chdir(order["root"])  # this process is ours alone
    with Workspace(Settings.load(Path(order["root"]))) as workspace:
        return drive(workspace, order["verb"], order["run_id"])


def drive(workspace: Workspace, verb: str, run_id: str) -> int:
    """Do it; what kept the run from going on stands in its message, for whoever looks at it."""
    try:
        if verb == "cancel":
            workspace.runs.cancel(run_id)
        else:
            workspace.runs.resume(run_id)
    except Conflict as error:  # it is over, or somebody else was quicker
        logging.getLogger(__name__).info("%s", error)
    except MlopsError as error:
        told = f"{error.message} ({error.hint})" if error.hint else error.message
        logging.getLogger(__name__).error("%s", told)
        workspace.catalog.compare_and_set(Run, run_id, {"state": ("not in", TERMINAL)}, message=told)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
