"""The texts of a description that have a form, each with the sentence that shows it."""

import re

_HOST_PORT = re.compile(r"[^\s/:]+:(\d{1,5}|\$\{[^{}]+\})|\[[0-9a-fA-F:]+\]:\d{1,5}|\$\{[^{}]+\}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_PATH = re.compile(r"\$(\.[^.\[\]\s]+|\[\d+\])+")
_REFERENCE = re.compile(r"\$\{(env|file):[^{}]+\}")


def url_path(text: object) -> str:
    """Return a path of a URL. Raises ValueError."""
    if isinstance(text, str) and re.fullmatch(r"/[^\s]*", text):
        return text
    raise ValueError(f"{text!r} is no path; write it from its first slash: /health")


def host_port(text: object) -> str:
    """Return `HOST:PORT`. Raises ValueError."""
    if isinstance(text, str) and _HOST_PORT.fullmatch(text):
        return text
    raise ValueError(f"{text!r} is no address; write HOST:PORT in quotes: '127.0.0.1:6379'")


def listen_address(text: object) -> str:
    """Return `auto` or `HOST:PORT`. Raises ValueError."""
    if text == "auto":
        return "auto"
    if isinstance(text, str) and _HOST_PORT.fullmatch(text):
        return text
    raise ValueError(f"{text!r} is nowhere to listen; write auto, or HOST:PORT in quotes: '127.0.0.1:9001'")


def header_name(text: object) -> str:
    """Return a header's name. Raises ValueError."""
    if isinstance(text, str) and _HEADER.fullmatch(text):
        return text
    raise ValueError(f"{text!r} is no name of a header; write Authorization or x-api-key")


def json_path(text: object) -> str:
    """Return a JSON path. Raises ValueError."""
    if isinstance(text, str) and _PATH.fullmatch(text):
        return text
    raise ValueError(f"{text!r} is no JSON path; write $.key or $.data[0].id")


def by_reference(text: object) -> str:
    """Return a secret's reference. Raises ValueError that does not repeat what was written."""
    if isinstance(text, str) and _REFERENCE.fullmatch(text):
        return text
    raise ValueError("a key does not stand in a description; write ${env:NAME} or ${file:PATH}")
