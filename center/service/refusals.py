"""Why something that a person or a program asked for was not done, and its HTTP status.

RefusalError                 `why` is a reason, `status` its HTTP status
  DeniedError                who asks may not (`auth`)
  NotDoneError               an act on an incident (`incidents`)
  NotHandledError            a call about a task (`homes`)
  NotKeptError               a change of a record (`homes`)
  NotSetError                limits of readings (`vitals`)
  NotLeasedError             test mode of a home (`leases`)
  NotInstalledError          an installation, or a step of it (`installation`)
  NotSentError               an announcement (`announcements`)
  NotEnrolledError           a hub's request for a certificate (`enrolment`)
  NotClaimedError            an installer's claim of a hub (`enrolment`)
  BadRequestError            the request itself says nothing sensible (`center.api.json`)
"""

from enum import StrEnum

CONFLICT = 409  # what was looked at has changed since
OTHERWISE = 400
STATUS = {  # by the reason's value: one word has one status, whichever list it stands in
    "not_signed_in": 401,
    "wrong_password": 401,
    "no_csrf": 403,
    "revoked": 403,
    "no_certificate": 403,
    "not_ours": 403,
    "superseded": 403,
    "lapsed": 403,
    "wrong_name": 403,
    "not_allowed": 403,
    "not_yours": 403,
    "not_found": 404,
    "no_home": 404,
    "not_begun": 404,
    "no_such_item": 404,
    "no_claim": 404,
    "unknown_home": 404,
    "no_such_digits": 404,
    "stale": CONFLICT,
    "no_test": CONFLICT,
    "has_one": CONFLICT,
    "hub_shows_it": CONFLICT,
    "not_proven": CONFLICT,
    "finished": CONFLICT,
    "no_link": CONFLICT,
    "is_closed": CONFLICT,
    "not_closed": CONFLICT,
    "is_done": CONFLICT,
    "changed": CONFLICT,
    "twice": CONFLICT,
    "digits_over": CONFLICT,
    "taken": CONFLICT,
    "has_hub": CONFLICT,
    "too_many_tries": 429,
    "busy": 429,
    "no_authority": 503,
    "authority_lapsed": 503,
}


class RefusalError(Exception):
    """What was asked for was not done; `why` is also a key of the message files."""

    why: StrEnum

    def __init__(self, why: StrEnum) -> None:
        super().__init__(why.value)
        self.why = why

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return status_of(self.why)

    @property
    def is_conflict(self) -> bool:
        """Whether somebody else was first, so that nothing in the form is wrong."""
        return self.status == CONFLICT


def status_of(why: StrEnum) -> int:
    """Return the HTTP status of a reason."""
    return STATUS.get(why.value, OTHERWISE)
