"""The guards, a file each, in the order a request meets them. They are wired in `reference_service/pipeline.py`."""
