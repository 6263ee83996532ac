"""Mutated messages from a student's process: `python -m tests.fuzz --count 100000`."""
