"""What `harness init` asks a person at a terminal, so that the description is right from the first try."""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import click

T = TypeVar("T")

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a person said. start: a command that starts the service, None where it runs already.

    upstream: the variable of the service that says where its model is, None where it has none.
    """

    base_url: str
    ask_it: bool
    key_env: str | None
    start: tuple[str, ...] | None
    upstream: str | None


def ask_questions(base_url: str, key_env: str | None) -> Answered:
    """Ask on standard error; an answer that cannot be is told and asked again. base_url, key_env: what is offered first."""
    click.echo("Five questions; Enter takes what stands in brackets. Nothing is started or changed.", err=True)
    address = _until("Where does your service answer?", base_url, _address)
    ask_it = click.confirm("Is it running, and may it be asked what it is (a dozen small requests)?", default=False, err=True)
    named = _until("Which environment variable holds a key for it? (- for none)", key_env or "SERVICE_KEY", _variable)
    start = _until("Which command starts it? (- if it runs by itself)", "-", _command)
    upstream = None
    if start is not None:
        upstream = _until("Which of its variables says where its model is? (- for none)", "OPENAI_BASE_URL", _variable)
    return Answered(base_url=address, ask_it=ask_it, key_env=named, start=start, upstream=upstream)


def _until(question: str, default: str, read: Callable[[str], T]) -> T:
    while True:
        given = str(click.prompt(question, default=default, err=True)).strip()
        try:
            return read(given)
        except ValueError as error:
            click.echo(f"  {error}", err=True)


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(f"{text!r} is no address of a service; write it as http://127.0.0.1:4000")
    _ = parts.port  # raises ValueError where it is none
    return text.rstrip("/")


def _variable(text: str) -> str | None:
    if text == "-":
        return None
    if _VARIABLE.fullmatch(text) is None:
        raise ValueError("that is no name of a variable; write the name only, never the key itself")
    return text


def _command(text: str) -> tuple[str, ...] | None:
    if text == "-":
        return None
    words = tuple(shlex.split(text))
    if not words or not text.isprintable():
        raise ValueError("write the command as you type it, or - if the service runs by itself")
    if any("$" in word for word in words):
        raise ValueError("no shell reads it, so nothing puts a value there; what is a variable goes into `start.env` by hand")
    return words
