"""Other engines than DuckDB in the home: Spark, a shared lake, an infini-gram index, a GPU."""
