"""How long `harness --help` and `harness list` take from nothing: `python benchmarks/start_up.py 20`.

Prints the median and the best of so many starts in milliseconds, beside a Python that does nothing. The promise is 150 ms.
"""

import statistics
import subprocess
import sys
import time


def main(times: int) -> None:
    """Print one line a command."""
    harness = [sys.executable, "-m", "harness"]
    for name, command in (
        ("python, nothing", [sys.executable, "-c", ""]),
        ("harness --help", [*harness, "--help"]),
        ("harness list", [*harness, "list"]),
        ("harness run --help", [*harness, "run", "--help"]),
    ):
        took_ms = []
        for _ in range(times):
            began = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            took_ms.append((time.perf_counter() - began) * 1000)
        print(f"{name:<20} median {statistics.median(took_ms):6.0f} ms   best {min(took_ms):6.0f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
