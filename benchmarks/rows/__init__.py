"""What is measured: one module per row of issue and README.

A row module has TITLE, NOTE, BASELINE (whose figures the ratios are against), ROUNDS, ``measure(place, quick)``
which is called once per contestant and round and returns figures by name, COLUMNS for its own table, and
HEADLINES for the compact one. The functions that ``measure`` hands to ``place.call`` run in the environment of
the contestant, so a row module imports nothing but the standard library.
"""
