"""What a number of clean drills proves."""

from harness.stats.bounds import CONFIDENCE


def recovery_probability_proved(clean_drills: int, confidence: float = CONFIDENCE) -> float:
    """Return the lower bound of the probability of recovering that so many drills, all recovered, prove.

    0 drills prove nothing: 0.0. Three prove only 37 %.
    """
    if clean_drills < 0:
        raise ValueError(f"{clean_drills} drills cannot have been clean")
    return 0.0 if clean_drills == 0 else float((1 - confidence) ** (1 / clean_drills))
