"""The load worker: Locust carries it, a child process runs it (`python -m harness.load`), nobody imports it.

Nothing is imported here: gevent and Locust come in with the modules that need them, Locust's patches with `__main__`.
"""
