"""Opens the live page for a run of this very process."""

import contextlib
import os
from collections.abc import Iterator, Mapping

import click

from harness.cli.live_page import LivePage
from harness.errors import ConfigurationError, FaultError


@contextlib.contextmanager
def live_page(port: int | None) -> Iterator[LivePage | None]:
    """Serve the page while the block runs, and print where; None serves nothing. Raises ConfigurationError on a taken port."""
    if port is None:
        yield None
        return
    try:
        page = LivePage(_order, port=port)
    except OSError as error:
        raise ConfigurationError(f"--live-port {port}: {error.strerror}", advice="0 takes a free one") from error
    click.echo(f"live page {page.address}", err=True)
    try:
        yield page
    finally:
        page.close()


def _order(order: Mapping[str, object]) -> object:
    """Give an order to this process's own run, on the way that a second terminal takes: it is journalled as a hand's."""
    from harness.run.live_runs import live_runs
    from harness.target.supervise import default_state_directory

    own = [run for run in live_runs(default_state_directory()) if run.pid == os.getpid()]
    if not own:
        raise FaultError("no run is live at this moment")
    return own[0].order(order)
