"""The library under the course: models that record themselves, steppers that draw recordings, checks that answer."""

__version__ = "0.1.0"
