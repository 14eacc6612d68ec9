"""How testcontainers is told to behave: ports on 127.0.0.1, and its reaper where its image can be had."""

import logging
import os

from harness.faults.engine import Engine
from harness.target.containers.images import PUBLIC
from harness.target.containers.provision import is_here


def settle(engine: Engine) -> None:
    """Set what holds for this process. Raises StackError where the engine does not answer.

    Ryuk, which removes the containers of a killed process, is used where its image is here; our labels and
    `harness clean` do the same a little later.
    """
    from testcontainers.core.config import ConnectionMode, testcontainers_config

    os.environ.setdefault("DOCKER_HOST", engine.address.replace("http://", "tcp://"))
    testcontainers_config.connection_mode_override = ConnectionMode.docker_host
    testcontainers_config.tc_host_override = "127.0.0.1"
    if "TESTCONTAINERS_RYUK_DISABLED" not in os.environ:
        testcontainers_config.ryuk_disabled = not is_here(engine, PUBLIC["ryuk"])
    logging.getLogger("testcontainers").setLevel(logging.ERROR)
