"""A user's own service as a YAML file: strict, every mistake told with its place, secrets by reference only."""

from harness.target.description.read import Description, is_target_file, read_description

__all__ = ["Description", "is_target_file", "read_description"]
