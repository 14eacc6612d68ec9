"""What a connection to the store owes to whoever asks next: it is alive, it is theirs alone, and there is not one too many."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import NoScriptError

from reference_service.store_connections import Connections


@dataclass
class Valkey:
    """Answers `ECHO n` with n; `WAIT` is answered only once `go` is set, `LOST` by hanging up, `EVALSHA` with an error."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    open: list[asyncio.StreamWriter] = field(default_factory=list)
    made: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.made += 1
        self.open.append(writer)
        while line := await reader.readline():
            words = []
            for _ in range(int(line[1:])):
                size = int((await reader.readline())[1:])
                words.append((await reader.readexactly(size + 2))[:-2])
            if words[0] == b"WAIT":
                await self.go.wait()
            if words[0] == b"LOST":
                break
            writer.write(
                b"-NOSCRIPT no such script\r\n" if words[0] == b"EVALSHA" else b"$%d\r\n%s\r\n" % (len(words[-1]), words[-1])
            )
        writer.close()


def against(work: Callable[[Valkey, Connections], Awaitable[None]], *, most: int = 4) -> None:
    async def run() -> None:
        valkey = Valkey()
        server = await asyncio.start_server(valkey.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connections = Connections(f"redis://127.0.0.1:{port}/0", most=most, connect_s=2.0)
        try:
            async with asyncio.timeout(10):
                await work(valkey, connections)
        finally:
            valkey.go.set()
            await connections.close()
            server.close()

    asyncio.run(run())


def test_one_connection_serves_one_after_another_and_an_error_is_an_answer_like_any_other():
    async def work(valkey: Valkey, connections: Connections) -> None:
        assert await connections.ask("ECHO", 1) == b"1"
        with pytest.raises(NoScriptError):
            await connections.ask("EVALSHA", "digest", 0)
        assert await connections.ask("ECHO", 2) == b"2"
        assert valkey.made == 1

    against(work)


def test_a_connection_that_was_closed_while_idle_is_made_anew_and_nobody_hears_of_it():
    async def work(valkey: Valkey, connections: Connections) -> None:
        await asyncio.gather(*(connections.ask("ECHO", n) for n in range(3)))
        for writer in valkey.open:
            writer.close()
        await asyncio.sleep(0.05)
        assert await asyncio.gather(*(connections.ask("ECHO", n) for n in range(3))) == [b"0", b"1", b"2"]
        assert valkey.made == 6

    against(work)


def test_who_goes_away_in_the_middle_of_an_answer_leaves_it_to_nobody():
    async def work(valkey: Valkey, connections: Connections) -> None:
        left = asyncio.create_task(connections.ask("WAIT", "of another"))
        await asyncio.sleep(0.05)
        left.cancel()
        await asyncio.wait({left})
        valkey.go.set()
        assert await connections.ask("ECHO", "mine") == b"mine"
        assert valkey.made == 2

    against(work)


def test_a_connection_that_is_lost_is_an_error_once_and_the_next_one_is_answered():
    async def work(_: Valkey, connections: Connections) -> None:
        with pytest.raises(Lost):
            await connections.ask("LOST")
        assert await connections.ask("ECHO", 1) == b"1"

    against(work)


def test_there_is_room_for_so_many_and_whoever_waits_for_it_is_served_in_the_end():
    async def work(valkey: Valkey, connections: Connections) -> None:
        asked = [asyncio.create_task(connections.ask("WAIT", n)) for n in range(5)]
        await asyncio.sleep(0.1)
        assert valkey.made == 2
        valkey.go.set()
        assert await asyncio.gather(*asked) == [b"0", b"1", b"2", b"3", b"4"]
        assert valkey.made == 2

    against(work, most=2)
