"""Counting: exact co-occurrence of words and tokens in the units of a corpus, held to the expected by strata.

`definition` says what the counted tables are, as queries; everything else computes the same rows fast.
"""
