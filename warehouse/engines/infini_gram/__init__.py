"""Counts of words and word pairs from an infini-gram index, for corpora that no machine here can hold.

An index answers other questions than `warehouse.counting`: docs/infini-gram.md says which. The steps are
`asking.ask_index` with an index from `http_api.api_index` or `local.local_index`, and `indexing.build_index`.
"""
