def plant(bug): pass
