"""Tests that drive a real browser against a real server. `make slow` runs them."""
