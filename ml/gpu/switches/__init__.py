"""Variants of training and scoring that the recipe tries."""
