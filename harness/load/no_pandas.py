"""pyarrow without pandas, which it imports at its first array where it is installed."""

import sys
from importlib.abc import MetaPathFinder

import pyarrow as pa


def spare_pandas() -> None:
    """Keep pyarrow from importing pandas: a third of a second of CPU and its memory in each worker, for nothing used there.

    pyarrow asks once, and gets to hear that there is none; for processes where nobody makes arrays of pandas' own things.
    """
    if "pandas" in sys.modules:
        return
    blind = _NoPandas()
    sys.meta_path.insert(0, blind)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(blind)


class _NoPandas(MetaPathFinder):
    """Finds no pandas, and leaves all else to the others."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:  # noqa: ARG002 - Python's own signature
        if fullname == "pandas":
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
