"""Where did every signal of the shop go?"""

from __future__ import annotations

import msgspec

from customer360.api.v1.asked import Asking
from customer360.api.v1.models import Balance
from customer360.intake.balance import balance


def get_balance(asked: Asking) -> Balance:
    """Where every signal went: received = stored + duplicate + rejected + waiting, in all and by source."""
    with asked.doors.database.read() as connection:
        found = balance(connection, asked.shop_id)
    return Balance.model_validate(msgspec.to_builtins(found))
