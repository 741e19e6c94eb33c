"""One rule chooses the language of all messages."""

import pytest

from hub.shared.language import Language, chosen


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, Language.KOREAN),
        ({"LANG": "en_GB.UTF-8"}, Language.ENGLISH),
        ({"LANG": "C.UTF-8"}, Language.KOREAN),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "ko_KR.UTF-8"}, Language.KOREAN),
        ({"LANG": "ko_KR.UTF-8", "LC_MESSAGES": "en_US"}, Language.ENGLISH),
        ({"LANG": "en_US.UTF-8", "LC_ALL": ""}, Language.ENGLISH),
        ({"LC_ALL": "ko_KR.UTF-8", "ANBU_LANG": "EN"}, Language.ENGLISH),
        ({"LC_ALL": "en_US.UTF-8", "ANBU_LANG": "ko"}, Language.KOREAN),
    ],
)
def test_the_first_variable_that_is_set_chooses(
    environment: dict[str, str], language: Language
) -> None:
    assert chosen(environment) is language
