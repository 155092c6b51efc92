"""Counted cells as sorted tables."""
