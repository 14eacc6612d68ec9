"""The embedded fault proxy: Toxiproxy's API and toxics in one asyncio process, with a lease, a seed and proof.

    api       HTTP requests to calls, answers to JSON        proxies   the collection, its lease
    proxy     one listener and the toxics before it          link      one connection, its two pipes
    pipe      one direction: a chain of stages               toxics/   one file a toxic

Reference: docs/reference/faultproxy.md
"""
