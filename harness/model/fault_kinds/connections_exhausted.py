"""Every connection that the database allows is taken: whoever needs a new one is refused."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.dependency import DATABASE, dependency

KIND = dependency(
    "connections_exhausted",
    "The database has no connection left",
    Parameter(
        name="cut",
        type=bool,
        doc="also end the connections that others hold: a pool that holds its own notices nothing otherwise",
        default=True,
    ),
    Parameter(
        name="at_most",
        type=int,
        doc="how many may be opened; a database that allows more is left alone",
        unit="connections",
        low=1,
        high=1000,
        default=300,
    ),
    places=(DATABASE,),
)
