"""Corpus files and word lists in, rows of the lake out."""
