"""What people write in YAML: read with the place of every value, and told what is wrong with it, line by line."""
