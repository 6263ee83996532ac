"""Generated tasks with exact answers, and the one real text that every CPython carries."""
