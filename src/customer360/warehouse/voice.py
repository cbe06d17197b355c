"""How a worker is heard: it answers questions about the warehouses whose files it owns."""

from __future__ import annotations

import logging
from pathlib import Path

from customer360.clock import SECOND, Clock, Instant
from customer360.errors import WarehouseBusy
from customer360.storage.flight import FlightServer
from customer360.warehouse.query import LocalWarehouse

logger = logging.getLogger(__name__)

_TRY_EVERY: Instant = SECOND


class Voice:
    """Answers the server and commands over the socket; while another worker does, this one waits for its turn."""

    def __init__(self, warehouse: LocalWarehouse, socket_path: Path, clock: Clock) -> None:
        self._warehouse = warehouse
        self._socket_path = socket_path
        self._clock = clock
        self._server: FlightServer | None = None
        self._next_try: Instant = 0
        self.begin()

    def begin(self) -> None:
        """Answer from now on, if nobody else does."""
        now = self._clock.now()
        if self._server is not None or now < self._next_try:
            return
        self._next_try = now + _TRY_EVERY
        try:
            self._server = FlightServer(
                self._socket_path, self._warehouse.query, self._warehouse.actions()
            )
        except WarehouseBusy:
            logger.debug("another worker answers questions")

    def end(self) -> None:
        """Answer what was asked, then fall silent."""
        if self._server is not None:
            self._server.close()
