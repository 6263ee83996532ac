"""Hostile submissions, each with what it tries and how one sees from outside whether it succeeded."""
