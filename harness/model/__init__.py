"""The nouns of the house: frozen data and closed lists, standard library only."""
