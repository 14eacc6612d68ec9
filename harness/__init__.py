"""Load testing and chaos verification for guarded LLM services.

The command line lives in `harness.cli`; `ARCHITECTURE.md` shows the way through the house.
"""

__version__ = "0.1.0"
