"""The care of a trail: clean-up, the trash, trails brought together, documents written again."""
