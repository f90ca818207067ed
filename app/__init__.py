"""Tocsin: alerts in, the right person paged, until somebody answers."""
