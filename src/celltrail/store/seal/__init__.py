"""Runs that are over as Parquet: sealed one by one, many small ones in a pack."""
