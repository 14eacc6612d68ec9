"""What rule files and an Alertmanager configuration say, for routing: labels, and receivers with something in them."""

from collections.abc import Iterator, Mapping

import yaml


class UnreadableError(Exception):
    """A file is not what Prometheus or Alertmanager reads; the text names it."""


def alerts_of(rules: Mapping[str, str]) -> dict[str, list[dict[str, str]]]:
    """Return the labels of each alert of these files, once for each rule that raises it. Raises UnreadableError."""
    found: dict[str, list[dict[str, str]]] = {}
    for file, text in rules.items():
        for group in _mappings(_read(file, text), "groups"):
            for rule in _mappings(group, "rules"):
                if isinstance(name := rule.get("alert"), str):
                    labels = rule.get("labels")
                    said = {str(k): str(v) for k, v in labels.items()} if isinstance(labels, dict) else {}
                    found.setdefault(name, []).append({"alertname": name} | said)
    return found


def receivers_of(file: str, text: str) -> dict[str, bool]:
    """Return each receiver, and whether it has anywhere to send to. Raises UnreadableError."""
    return {
        str(receiver.get("name")): any(bool(where) for name, where in receiver.items() if str(name).endswith("_configs"))
        for receiver in _mappings(_read(file, text), "receivers")
    }


def _read(file: str, text: str) -> dict[object, object]:
    try:
        said = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:  # ValueError: a date that is none
        raise UnreadableError(f"{file} is no YAML") from error
    return said if isinstance(said, dict) else {}


def _mappings(within: dict[object, object], key: str) -> Iterator[dict[object, object]]:
    several = within.get(key)
    for each in several if isinstance(several, list) else ():
        if isinstance(each, dict):
            yield each
