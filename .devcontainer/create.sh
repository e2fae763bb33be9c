#!/bin/bash
# Runs once, when Codespaces or VS Code has made the container: the same environment as `make lab`, the warehouse,
# and JupyterLab with the panel open beside the example.
set -euo pipefail
cd "$(dirname "$0")/.."
make .venv/.lab
.venv/bin/jupyter lab workspaces import binder/flights.jupyterlab-workspace
cd notebooks/flights
../../.venv/bin/python warehouse.py
