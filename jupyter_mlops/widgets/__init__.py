"""What a notebook shows of pipelines and runs. Each takes values or a workspace, and knows no magic."""

from .view import PipelineView, RunView

__all__ = ["PipelineView", "RunView"]
