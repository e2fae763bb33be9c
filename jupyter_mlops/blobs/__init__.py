"""Bytes kept under the digest of their content, and references to them. See `store` for the why."""

from .growing import Growing
from .references import Reference, make_reference, parse_reference
from .store import BlobStore

__all__ = ["BlobStore", "Growing", "Reference", "make_reference", "parse_reference"]
