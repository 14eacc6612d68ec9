#!/bin/sh
# Installs LiteLLM's proxy into a virtual environment of its own, beside this file. The version is the newest whose parts
# (litellm-proxy-extras, litellm-enterprise) were all to be had on the day.
set -eu
cd "$(dirname "$0")"
python3 -m venv .venv
.venv/bin/pip install --quiet 'litellm[proxy]==1.106.12'
.venv/bin/python -c 'import importlib.metadata as m; print("installed litellm", m.version("litellm"))'
