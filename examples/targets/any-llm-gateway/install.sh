#!/bin/sh
# Installs any-llm-gateway (the last version with the server inside) into a virtual environment of its own, beside this file.
set -eu
cd "$(dirname "$0")"
python3 -m venv .venv
.venv/bin/pip install --quiet 'any-llm-sdk[gateway]==1.14.0'
.venv/bin/python -c 'import importlib.metadata as m; print("installed any-llm-sdk", m.version("any-llm-sdk"))'
