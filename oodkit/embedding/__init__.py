"""Embedding data sets, and the store that keeps every image's features once."""

from oodkit.embedding.embed import embed
from oodkit.embedding.embeddings import Embeddings
from oodkit.embedding.store import Store, default_cache
from oodkit.embedding.texts import embed_texts

__all__ = ["Embeddings", "Store", "default_cache", "embed", "embed_texts"]
