"""A stream that ends without saying so.

Leaves out `[DONE]`; all else of the stream is in order. Answers that are not streamed are not touched.
"""

from harness.model.fault_kinds.provider import provider

KIND = provider("missing_done", "A stream that ends without saying so")
