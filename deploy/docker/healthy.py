"""The health check of our images: exit 0 where HEALTH_URL answers with a 2xx, or where there is none to ask."""

import http.client
import os
import sys
import urllib.parse


def main() -> int:
    """Ask once."""
    url = os.environ.get("HEALTH_URL", "")
    if not url:
        return 0
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=2.0)
    try:
        connection.request("GET", parts.path or "/")
        return 0 if 200 <= connection.getresponse().status < 300 else 1
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
