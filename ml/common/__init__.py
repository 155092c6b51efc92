"""Errors, progress and result files of the programs."""
