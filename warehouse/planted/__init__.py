"""The planted corpus: documents generated from a world whose pivots are known."""
