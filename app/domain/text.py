"""What a text must be so that any database can keep it."""

UNSTORABLE = "holds the character NUL or half of a surrogate pair, which no database keeps"


def is_storable(text: str) -> bool:
    return not any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in text)
