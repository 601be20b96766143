"""CPython's own tests, run inside our interpreter."""
