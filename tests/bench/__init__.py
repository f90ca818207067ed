"""`make bench`: the hot paths, each against its limit in the same run."""
