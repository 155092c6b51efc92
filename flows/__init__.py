"""Prefect flows: which step runs when, with what retries. They hold no logic of their own."""
