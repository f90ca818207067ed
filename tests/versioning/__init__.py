"""What version 1 of the API has promised, written down and held."""
