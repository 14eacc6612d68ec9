"""A real provider process on loopback, and a client on a bare socket that writes down when it read what."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import httpx
from forge import popen

KEY = "sk-under-test"


@dataclass
class Provider:
    process: subprocess.Popen[str]
    control: str
    endpoints: dict[str, str]

    def ask_control(self, method: str, path: str, body: object = None) -> httpx.Response:
        with httpx.Client(trust_env=False, base_url=f"http://{self.control}", timeout=10) as client:
            return client.request(method, path, content=None if body is None else json.dumps(body))

    def set_fault(self, kind: str, parameters: dict[str, object] | None = None, **rest: object) -> None:
        fault = {"id": kind, "endpoint": "primary", "kind": kind, "parameters": parameters or {}, **rest}
        answer = self.ask_control("PUT", "/faults", fault)
        assert answer.status_code == 200, answer.text

    def clear_faults(self) -> dict[str, int]:
        return {fault["id"]: fault["acted"] for fault in self.ask_control("DELETE", "/faults").json()}

    def acted(self, fault_id: str) -> int:
        return {fault["id"]: fault["acted"] for fault in self.ask_control("GET", "/faults").json()}[fault_id]

    def calls(self, at_least: int = 0) -> list[dict[str, object]]:
        """The ended calls, once there are `at_least` so many: a client hears of an end before the record is written."""
        deadline = time.monotonic() + 5
        while True:
            calls = self.ask_control("GET", "/calls").json()
            if len(calls) >= at_least or time.monotonic() > deadline:
                return calls
            time.sleep(0.01)


@contextlib.contextmanager
def running_provider(*arguments: str, start: "Callable[..., subprocess.Popen[str]]" = popen) -> Iterator[Provider]:
    """Start a provider; it is gone at the end. start: `subprocess.Popen` for no forge's child."""
    command = [sys.executable, "-m", "harness.provider", *arguments]
    process = start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        ready = json.loads(line)
        yield Provider(process, ready["control"], ready["endpoints"])
    finally:
        process.kill()
        process.communicate()


@dataclass
class Answer:
    """What came back: raw bytes, the moment of each read, and how the connection ended (`open`, `fin`, `rst`)."""

    raw: bytes = b""
    reads: list[tuple[int, bytes]] = field(default_factory=list)
    end: str = "open"

    @property
    def status_code(self) -> int | None:
        return int(self.raw[9:12]) if self.raw else None

    @property
    def headers(self) -> dict[str, str]:
        lines = self.raw.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def body(self) -> bytes:
        """The body with its framing taken off, as far as it came."""
        raw = self.raw.partition(b"\r\n\r\n")[2]
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return raw
        body = b""
        while raw:
            size, _, rest = raw.partition(b"\r\n")
            length = int(size or b"0", 16)
            if length == 0 or len(rest) < length:
                break
            body, raw = body + rest[:length], rest[length + 2 :]
        return body

    @property
    def terminated(self) -> bool:
        return self.raw.endswith(b"0\r\n\r\n")

    @property
    def events(self) -> list[str]:
        return [event.removeprefix("data: ") for event in self.body.decode().split("\n\n") if event]

    @property
    def chunks(self) -> list[dict]:
        return [json.loads(event) for event in self.events if event != "[DONE]"]

    @property
    def words(self) -> list[str]:
        deltas = [choice["delta"] for chunk in self.chunks for choice in chunk.get("choices", [])]
        return [delta["content"] for delta in deltas if delta.get("content")]

    @property
    def usage(self) -> dict | None:
        return next((chunk["usage"] for chunk in self.chunks if chunk.get("usage")), None)


def request_bytes(
    body: dict, *, headers: Sequence[tuple[str, str]] = (), path: str = "/v1/chat/completions", key: str = KEY
) -> bytes:
    payload = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "host: provider", f"authorization: Bearer {key}", f"content-length: {len(payload)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + payload


def connect(address: str) -> socket.socket:
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=10)


def read_answer(connection: socket.socket, *, for_s: float = 10.0, until: bytes | None = None) -> Answer:
    """Read until the answer is whole, `until` came, the connection ended, or `for_s` passed."""
    answer = Answer()
    deadline = time.monotonic() + for_s
    while (left := deadline - time.monotonic()) > 0:
        connection.settimeout(left)
        try:
            data = connection.recv(65536)
        except TimeoutError:
            break
        except ConnectionResetError:
            answer.end = "rst"
            break
        if not data:
            answer.end = "fin"
            break
        answer.reads.append((time.monotonic_ns(), data))
        answer.raw += data
        if until is not None and until in answer.raw:
            break
        if until is None and _whole(answer):
            break
    return answer


def _whole(answer: Answer) -> bool:
    if b"\r\n\r\n" not in answer.raw:
        return False
    if "chunked" in answer.headers.get("transfer-encoding", ""):
        return answer.terminated
    length = answer.headers.get("content-length")
    return length is not None and len(answer.body) >= int(length)


def chat(content: str = "hello", **rest: object) -> dict:
    return {"model": "sim-small", "messages": [{"role": "user", "content": content}], **rest}


def streamed(content: str = "hello", **rest: object) -> dict:
    return chat(content, stream=True, stream_options={"include_usage": True}, **rest)


def ask(provider: Provider, body: dict, *, endpoint: str = "primary", for_s: float = 10.0, **rest: object) -> Answer:
    with connect(provider.endpoints[endpoint]) as connection:
        connection.sendall(request_bytes(body, **rest))
        return read_answer(connection, for_s=for_s)
