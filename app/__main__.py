"""`python -m app` is the command `tocsin`."""

from app.cli import main

main()
