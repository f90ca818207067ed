"""The whole service over real HTTP, as its clients use it. `run_e2e_tests.py` is the command."""
