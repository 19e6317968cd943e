"""Benchmarks: ratios to a peer, measured in turn in one run. Never asserted in a test."""
