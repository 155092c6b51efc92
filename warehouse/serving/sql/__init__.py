"""SQL for people: one query on the published copy, and its rows as people and programs read them."""

from warehouse.serving.sql.published_query import query, query_opened, query_table

__all__ = ["query", "query_opened", "query_table"]
