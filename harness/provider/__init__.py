"""The simulated provider: an OpenAI-compatible upstream that the harness owns, with faults, a meter and its own records."""
