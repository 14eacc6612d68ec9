"""The class of every operator's tool: the seam of `reference_service/parts.py`, for what runs beside the service."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from reference_service.defects import planted
from reference_service.operations.archive import Backup
from reference_service.operations.canary import Canary
from reference_service.operations.follower import Follower
from reference_service.operations.slots import BalancerConfiguration


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Which class does each job."""

    balancer: type[BalancerConfiguration] = BalancerConfiguration
    canary: type[Canary] = Canary
    backup: type[Backup] = Backup
    follower: type[Follower] = Follower


def tools_for(environment: Mapping[str, str]) -> Tools:
    """Return the healthy tools, or with the one defect that SERVICE_DEFECT names, which is said on standard error.

    Raises SettingsError as `parts_for` does.
    """
    name = environment.get("SERVICE_DEFECT", "")
    tools = planted(name, environment.get("SERVICE_UNDER_TEST", ""), Tools(), "plant_tool")
    if name:
        sys.stderr.write(json.dumps({"event": "planted_defect", "defect": name}) + "\n")
    return tools
