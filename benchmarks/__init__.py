"""Ours beside the peers, in one run each: `python -m benchmarks`, or one of them by name."""
