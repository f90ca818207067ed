"""How large a team may be. Pure."""

MOST_MEMBERS = 500  # a page to a team is one to each of them
