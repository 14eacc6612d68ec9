"""The process: the API server, the ready line, and a clean end on a signal."""

import asyncio
import contextlib
import json
import resource
import signal
import sys

from aiohttp import web

from harness.errors import StackError
from harness.faultproxy.address import joined, listen_socket
from harness.faultproxy.api import Api
from harness.faultproxy.failure import ApiError
from harness.faultproxy.proxies import Proxies
from harness.faultproxy.web import Web


def run(*, host: str, port: int, seed: int) -> None:
    """Serve until SIGTERM or SIGINT. Raises StackError where the address cannot be listened on."""
    try:
        import uvloop  # optional: not every platform has it
    except ImportError:
        asyncio.run(serve(host=host, port=port, seed=seed))
    else:
        uvloop.run(serve(host=host, port=port, seed=seed))


async def serve(*, host: str, port: int, seed: int) -> None:
    """Serve in the running loop. Prints the ready line once the API listens."""
    _raise_file_limit()
    try:
        listening = await listen_socket(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except ApiError as error:
        raise StackError(
            f"the fault proxy's API: {error.message}", advice="choose another --port, or 0 for a free one"
        ) from error
    proxies = Proxies(seed=seed)
    api = Api(proxies)
    runner = web.ServerRunner(web.Server(Web(api).handle, access_log=None))
    await runner.setup()
    await web.SockSite(runner, listening).start()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    sys.stdout.write(json.dumps({"event": "ready", "api": joined(*listening.getsockname()[:2])}, separators=(",", ":")) + "\n")
    sys.stdout.flush()
    await ended.wait()
    api.lease.end()
    proxies.close()
    await runner.cleanup()


def _raise_file_limit() -> None:
    # A link takes two descriptors, and a black hole keeps its links: 1024 would be gone within a minute.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
