"""What is asked for often starts fast: `--help` and `list` import nothing heavy."""

import subprocess
import sys

import pytest

HEAVY = ("numpy", "scipy", "pandas", "pyarrow", "matplotlib", "pydantic", "httpx", "gevent", "locust", "rich", "yaml")


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["list", "faults"], ["run", "--help"], ["drill", "--help"]])
def test_nothing_heavy_is_imported(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom harness.cli.main import main\n"
        f"sys.argv = ['harness', *{arguments!r}]\n"
        f"try:\n    main()\nexcept SystemExit as ended:\n    assert ended.code == 0\n"
        f"sys.exit(', '.join(name for name in {HEAVY!r} if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete(shell: str) -> None:
    done = subprocess.run([sys.executable, "-m", "harness", "completion", shell], capture_output=True, text=True, check=True)
    assert "_HARNESS_COMPLETE" in done.stdout
