"""The kernel's own list of connections: proof for a link that is cut, which no proxy keeps accounts of."""

from pathlib import Path

_ESTABLISHED = "01"


def live_connections(listen: str) -> int:
    """Return how many connections are established at a listening address of this host.

    listen: `host:port`; of the host only its family is looked at. 0 also where the listener lives elsewhere or the list
    cannot be read. Takes some milliseconds for a table: the kernel walks all its buckets.
    """
    host, _, port = listen.rpartition(":")
    # A listener on an IPv6 or any address has IPv4 clients in the IPv6 table.
    table = "tcp" if host.count(".") == 3 and ":" not in host else "tcp6"
    return _count(Path(f"/proc/net/{table}"), int(port))


def _count(table: Path, port: int) -> int:
    try:
        lines = table.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    # A busy host has thousands of lines, nearly all of them ended connections: look closely at the few that may count.
    ending = f":{port:04X}"
    near = (line.split() for line in lines if ending in line)
    return sum(fields[1].endswith(ending) and fields[3] == _ESTABLISHED for fields in near)
