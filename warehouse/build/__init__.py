"""dbt, on whatever engine."""
