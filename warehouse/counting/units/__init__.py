"""Documents and windows as sets of tokens."""
