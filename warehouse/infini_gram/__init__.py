"""Counts of words and word pairs from an infini-gram index, for corpora that no machine here can hold.

An index answers other questions than `warehouse.counting`: docs/infini-gram.md says which.
"""

from warehouse.infini_gram.asking import AskSummary, ask_index
from warehouse.infini_gram.http_api import api_index
from warehouse.infini_gram.indexing import build_index
from warehouse.infini_gram.local import local_index
from warehouse.infini_gram.questions import Answer, Index, Refused, item_words

__all__ = [
    "Answer",
    "AskSummary",
    "Index",
    "Refused",
    "api_index",
    "ask_index",
    "build_index",
    "item_words",
    "local_index",
]
