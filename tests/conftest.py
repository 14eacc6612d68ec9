"""What every test shares: Hypothesis without a clock, since these machines are noisy and a deadline measures them."""

from hypothesis import settings

settings.register_profile("harness", deadline=None)
settings.load_profile("harness")
