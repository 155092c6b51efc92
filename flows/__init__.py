"""Prefect flows: which step runs when, with what retries. They hold no logic of their own."""

from warehouse.contract.lifeline import watch_launcher

watch_launcher()  # here: Prefect's own programs import a flow's module, and nothing else of ours
