"""What people and processes say, in documents: runs, edits, settings, views, each actor in a file of its own."""
