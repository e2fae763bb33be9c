"""Profiles of data, and the drift between a profile and what came later.

A room of its own below both stores: the feature store keeps a profile with each materialization, the model store
one of a version's training data, and neither imports the other.
"""

from .drift import Drift, FeatureDrift, drift
from .profile import Profile, profile_frame

__all__ = ["Drift", "FeatureDrift", "Profile", "drift", "profile_frame"]
