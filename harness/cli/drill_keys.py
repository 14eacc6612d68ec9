"""Single keys at a terminal, while a run draws on it: `g` go, `x` stop and heal, `t` writes a note."""

import contextlib
import os
import queue
import select
import termios
import threading
import unicodedata
from collections.abc import Iterator

from harness.run.attending import Said, Word

LONGEST_NOTE = 500
_LOOK_EVERY_S = 0.1


class Typing:
    """What single keys mean. Takes characters, gives words; holds a note that is being written."""

    def __init__(self) -> None:
        self.note: str | None = None

    def take(self, character: str) -> Word | None:
        """Return what a character completes, if anything. In a note: Enter keeps it, Esc throws it away."""
        if self.note is None:
            if character in "tT":
                self.note = ""
            return {"g": Word(Said.GO), "x": Word(Said.STOP)}.get(character.lower())
        if character in "\r\n":
            text, self.note = self.note.strip(), None
            return Word(Said.NOTE, text) if text else None
        if character == "\x1b":
            self.note = None
        elif character in "\x7f\b":
            self.note = self.note[:-1]
        elif unicodedata.category(character)[0] != "C" and len(self.note) < LONGEST_NOTE:
            self.note += character
        return None


class Keys:
    """Reads a terminal key by key in a thread of its own; nothing is echoed, Ctrl-C still interrupts."""

    def __init__(self, descriptor: int) -> None:
        self.typing = Typing()
        self.pressed = threading.Event()
        self._descriptor = descriptor
        self._words: queue.SimpleQueue[Word] = queue.SimpleQueue()
        self._closed = threading.Event()

    def words(self) -> list[Word]:
        """Return what was said since the last call."""
        said = []
        with contextlib.suppress(queue.Empty):
            while True:
                said.append(self._words.get_nowait())
        return said

    @contextlib.contextmanager
    def listening(self) -> Iterator["Keys"]:
        """Listen while the block runs, and give the terminal back as it was."""
        before = termios.tcgetattr(self._descriptor)
        quiet = termios.tcgetattr(self._descriptor)
        quiet[3] &= ~(termios.ICANON | termios.ECHO)
        thread = threading.Thread(target=self._listen, name="keys", daemon=True)
        try:
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, quiet)
            thread.start()
            yield self
        finally:
            self._closed.set()
            if thread.ident is not None:
                thread.join(timeout=1.0)
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, before)

    def _listen(self) -> None:
        rest = b""
        while not self._closed.is_set():
            try:
                ready, _, _ = select.select([self._descriptor], [], [], _LOOK_EVERY_S)
                data = os.read(self._descriptor, 256) if ready else None
            except OSError:
                return  # the terminal went away; SIGHUP or a signal says the rest
            if data is None:
                continue
            if not data:
                return
            text, rest = _whole(rest + data)
            if len(text) > 1 and text[0] == "\x1b":
                continue  # an arrow or another key that sends a sequence: no word, and no Esc either
            for character in text:
                if (word := self.typing.take(character)) is not None:
                    self._words.put(word)
            self.pressed.set()


def _whole(data: bytes) -> tuple[str, bytes]:
    """Return the whole characters of UTF-8, and the bytes of one that has not come to its end."""
    for cut in range(min(3, len(data)) + 1):
        with contextlib.suppress(UnicodeDecodeError):
            return data[: len(data) - cut].decode("utf-8"), data[len(data) - cut :]
    return data.decode("utf-8", "replace"), b""
