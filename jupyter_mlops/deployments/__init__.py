"""Served models: which version answers where, since when and why. `decide` says what follows, `book` keeps it and
asks the target, `follow` goes along with an alias."""

from .book import Deployments
from .view import DeploymentStatus

__all__ = ["DeploymentStatus", "Deployments"]
