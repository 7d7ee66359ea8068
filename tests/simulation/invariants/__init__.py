"""The invariants of Rollcall, as far as they can be stated in the simulation; one module per group."""

from typing import Final

from tests.simulation.invariants.alerts import OneIncident
from tests.simulation.invariants.attempts import NoMoreThanThePolicy
from tests.simulation.invariants.convergence import Conserved, NeverSilent, NeverTwo, OwnedAgain, Quiet, TheTruth
from tests.simulation.invariants.intake import OnceOnly, StoredFirst
from tests.simulation.invariants.ownership import EpochsGrow, LooksFirst, NothingBehindTheFence, OneOwner
from tests.simulation.invariants.truth import AgentsAreSafe, NoFalseEnd, NoOtherRoom, VerifiedMeansSeen
from tests.simulation.invariants.wishes import NoWishLost, RelievedInTime
from tests.simulation.judging import Invariant

ALL: Final[tuple[type[Invariant], ...]] = (
    NeverSilent,
    VerifiedMeansSeen,
    StoredFirst,
    OnceOnly,
    TheTruth,
    OneOwner,
    EpochsGrow,
    NothingBehindTheFence,
    LooksFirst,
    OwnedAgain,
    NeverTwo,
    NoMoreThanThePolicy,
    NoOtherRoom,
    NoFalseEnd,
    OneIncident,
    Conserved,
    Quiet,
    AgentsAreSafe,
    NoWishLost,
    RelievedInTime,
)
