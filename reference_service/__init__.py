"""The guarded LLM service that the harness is shown on: every guard a file, every guard replaceable."""
