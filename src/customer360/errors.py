"""Everything that can go wrong, as one tree; a docstring is the default message.

Customer360Error
├── InvalidInput            the caller sent something unusable (422; intake answers 400)
│   ├── InvalidTime
│   ├── InvalidMoney
│   ├── InvalidSetting
│   ├── InvalidRule         of a segment; `path` names the condition
│   ├── InvalidQuery        a segment's text form; `position` says where
│   ├── InvalidName
│   ├── InvalidPayload
│   └── PayloadTooLarge     413
├── Unauthenticated         401
├── Forbidden               403
├── NotFound                404
│   ├── ShopNotFound
│   ├── ProfileNotFound
│   ├── DeadLetterNotFound
│   ├── ImportNotFound
│   ├── MergeNotFound
│   ├── CandidateNotFound
│   ├── DecisionNotFound
│   ├── AlertNotFound
│   └── SegmentNotFound
├── Conflict                409
│   ├── AlreadyOne          two ids of one profile cannot be merged
│   ├── CannotUndo          the time is over, or other evidence holds
│   ├── InThrong            too many hang together to be looked at while somebody waits
│   ├── LeaseLost           another worker wrote first; compute again
│   ├── RunUnderWay         a job, such as the scan for duplicates, is done for a shop by one at a time
│   ├── SegmentBuiltIn      All customers stays as it is
│   ├── SegmentInUse        others ask for it
│   ├── SegmentLimit        the plan allows no more
│   ├── SegmentUnsettled    its members are not those of its rule
│   └── WarehouseBusy       another process holds the warehouse files
├── TooManyRequests         429
└── Unavailable             503
    ├── DiskNearlyFull
    └── WorkerUnreachable   nobody answers on the worker's socket
"""

from __future__ import annotations

import traceback


class Customer360Error(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class InvalidInput(Customer360Error):
    """The request cannot be used as it is."""

    def __init__(self, message: str | None = None, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class InvalidTime(InvalidInput):
    """This is not a time we can read; use ISO 8601, for example 2026-01-31T09:30:00Z."""


class InvalidMoney(InvalidInput):
    """This is not an amount of money; use digits with a point, for example 19.90."""


class InvalidSetting(InvalidInput):
    """A C360_* setting has a value that cannot be used."""


class InvalidRule(InvalidInput):
    """This is no rule of a segment."""


class InvalidQuery(InvalidInput):
    """This text is no rule of a segment."""

    def __init__(self, message: str | None = None, position: int = 0) -> None:
        super().__init__(message)
        self.position = position
        """Characters before the place where the trouble begins."""


class InvalidName(InvalidInput):
    """This name cannot be used."""


class InvalidPayload(InvalidInput):
    """The body is not the JSON that this address expects."""


class PayloadTooLarge(InvalidInput):
    """The body is larger than the limit; send smaller batches."""


class Unauthenticated(Customer360Error):
    """The key or signature is missing or wrong."""


class Forbidden(Customer360Error):
    """You do not have the right to do this."""


class NotFound(Customer360Error):
    """There is nothing here."""


class ShopNotFound(NotFound):
    """No shop has this id; `c360 shop list` shows the shops."""


class ProfileNotFound(NotFound):
    """No profile has this id."""


class DeadLetterNotFound(NotFound):
    """No dead letter has this id; it may have been replayed already."""


class ImportNotFound(NotFound):
    """No import has this id."""


class MergeNotFound(NotFound):
    """No merge has this id."""


class CandidateNotFound(NotFound):
    """No pair of possible duplicates has this id."""


class DecisionNotFound(NotFound):
    """Nobody says this of two profiles, or it was taken back already."""


class AlertNotFound(NotFound):
    """No alert has this id."""


class SegmentNotFound(NotFound):
    """No segment has this id."""


class Conflict(Customer360Error):
    """Something changed in between; read again and retry."""


class AlreadyOne(Conflict):
    """These two are one profile already."""


class CannotUndo(Conflict):
    """This merge cannot be undone."""


class InThrong(Conflict):
    """Too many profiles hang together here to be looked at while you wait."""


class LeaseLost(Conflict):
    """Another worker wrote to this shop first; the batch is computed again."""


class RunUnderWay(Conflict):
    """This is being done for the shop already; wait until it is done."""


class SegmentBuiltIn(Conflict):
    """All customers is built in: it cannot be changed or deleted; duplicate it instead."""


class SegmentOvertaken(Conflict):
    """Somebody changed this segment meanwhile. Save again to put this in the place of what they did, or discard it."""


class SegmentInUse(Conflict):
    """Other segments ask for this one."""


class SegmentLimit(Conflict):
    """The shop's plan allows no more segments; delete one first."""


class SegmentUnsettled(Conflict):
    """The members of this segment are still being found; try again when it is updated."""


class WarehouseBusy(Conflict):
    """Another process holds the warehouse files; stop it or ask it over its socket."""


class TooManyRequests(Customer360Error):
    """Too many requests; slow down and retry after the time given."""

    def __init__(self, message: str | None = None, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(Customer360Error):
    """The service cannot take this now; retry later."""


class DiskNearlyFull(Unavailable):
    """The disk is nearly full, so nothing more is accepted; free some space."""


class QueryTooLong(Unavailable):
    """The question to the warehouse takes too long; ask for fewer events or a shorter time."""


class WorkerUnreachable(Unavailable):
    """No worker answers; start one with `c360 serve` or `c360 worker`."""


def place_of(error: BaseException) -> str:
    """What went wrong and where, without the messages: TypeError at intake.py:12 in take < …

    Logs say this: a message may quote what a customer sent.
    """
    frames = reversed(traceback.extract_tb(error.__traceback__)[-8:])
    places = (
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} in {frame.name}" for frame in frames
    )
    return f"{type(error).__name__} at {' < '.join(places)}"
