"""Thin: HTTP in, HTTP out."""
