"""A lake that several machines share: DuckLake with its catalogue in PostgreSQL, its files in a folder or on S3."""
