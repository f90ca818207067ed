"""Pages for people: server-rendered, over the same services as the API."""
