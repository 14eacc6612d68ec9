"""TLS without a socket: bytes in, bytes out, so that one watcher and one timer a connection serve it too.

Certificates are always verified, name included, against the authorities that OpenSSL trusts here (`SSL_CERT_FILE` adds a
private one). There is no switch to turn that off: a service that only answers those who do not look is not ready.
"""

import functools
import ssl

_CHUNK_BYTES = 65_536


class TlsSession:
    """One client session. name: whose certificate the peer must show. Raises ssl.SSLError from `step`."""

    def __init__(self, name: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = _context().wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self.closed = False

    def step(self) -> tuple[bool, bytes]:
        """Go on with the handshake; return whether it is done, and what to send."""
        try:
            self._session.do_handshake()
        except ssl.SSLWantReadError:
            return False, self._outgoing.read()
        return True, self._outgoing.read()

    def arrived(self, data: bytes) -> None:
        """Take bytes of the handshake."""
        self._incoming.write(data)

    def sealed(self, plain: bytes) -> bytes:
        """Return what to send for some plain bytes."""
        self._session.write(plain)
        return self._outgoing.read()

    def received(self, data: bytes) -> bytes | None:
        """Return the plain bytes of what arrived; None where it was not what the peer sealed. `closed` at its own end."""
        self._incoming.write(data)
        plain = []
        try:
            while piece := self._session.read(_CHUNK_BYTES):
                plain.append(piece)
            self.closed = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.closed = True
        except ssl.SSLError:
            return b"".join(plain) or None
        return b"".join(plain)


@functools.cache
def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
