"""What the service knows: documents cut into passages, found by meaning and by words."""
