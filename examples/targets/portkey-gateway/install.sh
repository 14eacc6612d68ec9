#!/bin/sh
# Installs Portkey's gateway into a folder of its own, beside this file. Needs Node 18 or newer with npm.
set -eu
cd "$(dirname "$0")"
npm install --prefix . --no-save --no-package-lock --no-audit --no-fund '@portkey-ai/gateway@1.15.2'
node -p '"installed @portkey-ai/gateway " + require("./node_modules/@portkey-ai/gateway/package.json").version'
