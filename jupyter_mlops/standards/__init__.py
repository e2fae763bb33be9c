"""Runs as other tools' standards tell them: OpenLineage's events, OpenTelemetry's spans.

Off unless settings or the standards' own environment variables say where they go. Nothing here may fail a run or
keep it waiting: what cannot be told is logged once, and what is sent goes by a thread of its own.
"""

from .observers import Observer, observe

__all__ = ["Observer", "observe"]
