"""Pivots that people and models judge."""
