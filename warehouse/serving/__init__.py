"""What readers open: the published copy, SQL, queries, report, dashboard."""
