"""The feature store: features as they were for training, as they are for serving, by one definition. See `store`."""

from ..profiles import drift, profile_frame
from .definitions import Aggregation, Entity, Expectation, FeatureService, FeatureView, OnDemandView
from .online import EXPIRED, NOT_FOUND, NULL, PRESENT, OnlineStore
from .serving import OnlineFeatures
from .store import FeatureStore

__all__ = [
    "EXPIRED",
    "NOT_FOUND",
    "NULL",
    "PRESENT",
    "Aggregation",
    "Entity",
    "Expectation",
    "FeatureService",
    "FeatureStore",
    "FeatureView",
    "OnDemandView",
    "OnlineFeatures",
    "OnlineStore",
    "drift",
    "profile_frame",
]
