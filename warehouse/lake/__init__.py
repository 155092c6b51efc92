"""The Parquet lake: its schemas, its files, and the connections over them."""
