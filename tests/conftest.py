"""Settings of the whole test suite."""

from hypothesis import settings

# A busy machine must not fail a test: rules are about results, never about time.
settings.register_profile("oodkit", deadline=None)
settings.load_profile("oodkit")
