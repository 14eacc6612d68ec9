"""Gives every principal of a run a key, in the reference service's own way. Standard input and output as in
docs/reference/target.md; DATABASE_URL says where.
"""

import json
import os
import secrets
import subprocess
import sys


def main() -> int:
    """Read principals, make users, print their keys."""
    principals = json.load(sys.stdin)["principals"]
    keys = {part["name"]: f"sk-{secrets.token_hex(24)}" for part in principals}
    users = []
    for number, part in enumerate(principals):
        capped = part["budget_usd"] is not None
        ordinary = part["name"].startswith("user-")  # the load's; checks make users of their own
        tenant = f"tenant-of-{part['name']}" if capped or not ordinary else f"tenant-{'ab'[number % 2]}"
        users.append({"name": part["name"], "key": keys[part["name"]], "tenant": tenant, "daily_budget_usd": part["budget_usd"]})
    done = subprocess.run(
        [sys.executable, "-m", "reference_service.provision"],
        input=json.dumps({"users": users}),
        env={**os.environ, "SERVICE_DATABASE_URL": os.environ["DATABASE_URL"]},
        text=True,
        check=False,
    )
    if done.returncode == 0:
        sys.stdout.write(json.dumps({"keys": keys}) + "\n")
    return done.returncode


if __name__ == "__main__":
    raise SystemExit(main())
