"""The runs of a trail as readers meet them: found, read once, their facts by name."""
