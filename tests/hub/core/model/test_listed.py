"""What may stand in the list of wireless devices."""

import pytest

from hub.core.model.rules import Role
from hub.core.model.wireless import PENDANT_ROLES, Pendant

ADDRESS, KEY = "A4:C1:38:00:00:01", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


@pytest.mark.parametrize("role", Role)
def test_a_pendant_calls_or_takes_back_and_is_nothing_else(role: Role) -> None:
    if role in PENDANT_ROLES:
        assert Pendant("p", ADDRESS, KEY, role).role is role
        return
    with pytest.raises(ValueError, match=str(role)):
        Pendant("p", ADDRESS, KEY, role)
