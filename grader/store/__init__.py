"""The evidence store: what submissions did, kept under the hash of all that could change it."""

from grader.store.blobs import hashes_to
from grader.store.entries import Entry, Problem, Pruned
from grader.store.evidence import Store, default_folder, is_store

__all__ = ["Entry", "Problem", "Pruned", "Store", "default_folder", "hashes_to", "is_store"]
