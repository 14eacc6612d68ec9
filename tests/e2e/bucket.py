"""A bucket for the tests: the part of S3's interface that a real client uses to keep files, in memory, without signatures."""

import contextlib
import http.server
import io
import threading
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class Bucket(http.server.ThreadingHTTPServer):
    """Its objects by key, and the parts of those that are on their way."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Requests)
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}

    def url(self, prefix: str) -> str:
        return f"s3://bucket/{prefix}?scheme=http&region=none&endpoint_override=127.0.0.1:{self.server_port}"


@contextlib.contextmanager
def bucket() -> Iterator[Bucket]:
    with Bucket() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Requests(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Bucket

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    @property
    def key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/bucket").removeprefix("/")

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.path).query, keep_blank_values=True).items()}

    def do_GET(self) -> None:
        if not self.key:
            return self._list(self.query.get("prefix", ""))
        content = self.server.objects.get(self.key)
        if content is None:
            return self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        first, _, last = self.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")
        return self._answer(206, content[int(first) : int(last) + 1 if last else None])

    def do_HEAD(self) -> None:
        content = self.server.objects.get(self.key)
        self._answer(404 if content is None else 200, content or b"")

    def do_POST(self) -> None:
        self._body()
        if "uploads" in self.query:
            self.server.parts[self.key] = {}
            return self._answer(200, b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
        parts = self.server.parts.pop(self.key)
        self.server.objects[self.key] = b"".join(parts[number] for number in sorted(parts))
        return self._answer(200, b'<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>')

    def do_PUT(self) -> None:
        content = self._body()
        if "partNumber" in self.query:
            self.server.parts[self.key][int(self.query["partNumber"])] = content
        else:
            self.server.objects[self.key] = content
        self._answer(200, b"", etag='"1"')

    def do_DELETE(self) -> None:
        self.server.objects.pop(self.key, None)
        self._answer(204, b"")

    def _list(self, prefix: str) -> None:
        found = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(content)}</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
            for key, content in sorted(self.server.objects.items())
            if key.startswith(prefix)
        )
        self._answer(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode())

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") == "chunked":
            sent = io.BytesIO(b"".join(_chunks(self.rfile)))
            self.rfile.readline()
        else:
            sent = io.BytesIO(self.rfile.read(int(self.headers.get("content-length") or 0)))
        is_signed_in_pieces = "aws-chunked" in self.headers.get("content-encoding", "")
        return b"".join(_chunks(sent)) if is_signed_in_pieces else sent.getvalue()

    def _answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {
            "content-length": str(len(content)),
            "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT",
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    """Yield what is sent in pieces, each after its length; what follows the last, empty one is left."""
    while size := int(source.readline().partition(b";")[0], 16):
        yield source.read(size)
        source.readline()
