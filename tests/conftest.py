"""What all tests share."""

from hypothesis import HealthCheck, settings

# A busy machine is no failure: what must be fast is measured in bench/.
settings.register_profile(
    "anbu", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("anbu")
