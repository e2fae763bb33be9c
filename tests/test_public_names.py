"""What the world may import is a short list, and nothing leaves or joins it unseen."""

from __future__ import annotations

import subprocess
import sys

import jupyter_mlops

PUBLIC = [
    "MlopsError", "Pipeline", "PipelineParameter", "PipelineView", "ResourceRequest", "RetryPolicy",
    "RunOptions", "RunView", "Task", "Workspace", "__version__", "alias", "artifact", "compute_units", "cost",
    "deploy", "dockerize", "export_pipeline",
    "feature_store", "feature_view", "featurize", "find_deployments", "find_features", "find_models",
    "form", "get_workspace", "input", "load_ipython_extension", "load_model", "predict",
    "register_features", "register_model", "request_resources", "result", "rollback", "run_pipeline",
    "status",
]  # fmt: skip
HEAVY = {
    "IPython", "alembic", "dask", "distributed", "duckdb", "ipywidgets", "jupyter_client", "keyring", "matplotlib",
    "nbclient", "nbformat", "numpy", "pandas", "papermill", "psutil", "pyarrow", "rich", "sqlalchemy", "zmq",
}  # fmt: skip


def test_the_public_names_are_these() -> None:
    assert sorted(jupyter_mlops.__all__) == sorted(PUBLIC)


def test_every_public_name_is_there() -> None:
    for name in PUBLIC:
        assert getattr(jupyter_mlops, name) is not None


def loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(' '.join(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_after("import jupyter_mlops") & HEAVY


def test_loading_the_extension_loads_nothing_heavier_than_ipython() -> None:
    statement = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "import sys\nbefore = set(sys.modules)\n"
        "InteractiveShell.instance().run_line_magic('load_ext', 'jupyter_mlops')\n"
        "sys.modules = {name: 1 for name in set(sys.modules) - before}"
    )
    assert not loaded_after(statement) & (HEAVY - {"IPython"})


def test_describing_the_command_line_loads_nothing_heavy() -> None:
    statement = (
        "import contextlib, sys\nsys.argv = ['jupyter-mlops', '--help']\nfrom jupyter_mlops.cli import main\n"
        "with contextlib.suppress(SystemExit):\n    main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint('MODULES', ' '.join(sorted(sys.modules)))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    modules = {name.partition(".")[0] for name in done.stdout.split("MODULES")[1].split()}
    assert not modules & (HEAVY - {"rich"})
