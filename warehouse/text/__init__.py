"""Tokens and words in text; knows no lake."""
