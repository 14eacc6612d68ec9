"""The conductor: the one room that knows the order of things."""
