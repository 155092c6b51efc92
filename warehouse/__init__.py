"""Rows in, rows out: readers, tokenising, word matching, counting, catalogue, export, publish, queries, CLI."""

__version__ = "0.1.0"
