"""Heads and chunks of HTTP/1.1 answers, as bytes."""

_REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    408: "Request Timeout", 409: "Conflict", 410: "Gone", 413: "Content Too Large", 422: "Unprocessable Content",
    429: "Too Many Requests", 431: "Request Header Fields Too Large", 500: "Internal Server Error", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout", 529: "Site is overloaded",
}  # fmt: skip


def head(status_code: int, headers: list[tuple[str, str]], length: int | None) -> bytes:
    """Return an answer's head. length: of the body in bytes; None for one in chunks, or one that ends with the connection."""
    lines = [f"HTTP/1.1 {status_code} {_REASONS.get(status_code, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if length is not None:
        lines.append(f"content-length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def chunk(payload: bytes) -> bytes:
    """Return a payload as one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(payload), payload)
