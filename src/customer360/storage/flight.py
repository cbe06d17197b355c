"""The worker answers questions to the warehouse for the server and the command line: Arrow Flight on a Unix socket.

One worker of a data folder serves at a time; who may open the folder the socket is in may ask, nobody else.
"""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import msgspec
import pyarrow as pa
from pyarrow import flight

from customer360 import errors
from customer360.errors import Customer360Error, Unavailable, WarehouseBusy, WorkerUnreachable

logger = logging.getLogger(__name__)

Action = Callable[[bytes], bytes]
"""A step that others may ask the worker for; it may run twice when the connection breaks."""

# A path in a socket's address has 108 bytes, the last of them zero.
_LONGEST_PATH = 107
# A worker that is paused must not pause its server for ever.
_ANSWER_SECONDS = 120.0


class Query(Protocol):
    """Answers a question to one shop's warehouse."""

    def __call__(self, shop_id: int, sql: str, params: Sequence[Any], /) -> pa.Table: ...


class FlightServer:
    """Answers queries and actions until it is closed.

    Raises WarehouseBusy when another worker of the data folder serves already.
    """

    def __init__(
        self, socket_path: Path, query: Query, actions: Mapping[str, Action] | None = None
    ) -> None:
        folder = socket_path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._lock = _held_lock(socket_path.with_suffix(".lock"))
        self._recorded = socket_path
        try:
            self._path = _claim_path(socket_path)
            self._server = _Server(self._path, query, dict(actions or {}))
        except BaseException:
            os.close(self._lock)
            raise
        self._thread = threading.Thread(target=self._server.serve, name="flight", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer what was asked, then stop; the socket is gone and another worker may serve."""
        self._server.shutdown()
        self._thread.join()
        self._path.unlink(missing_ok=True)
        _forget_path(self._recorded)
        os.close(self._lock)


class FlightClient:
    """Asks the worker; finds it again after it was restarted. Safe to use from several threads."""

    def __init__(self, socket_path: Path) -> None:
        self._socket_path = socket_path
        self._client: flight.FlightClient | None = None
        self._lock = threading.Lock()

    def answers(self) -> bool:
        """Whether a worker listens now."""
        return worker_answers(self._socket_path)

    def query(self, shop_id: int, sql: str, params: Sequence[Any] = ()) -> pa.Table:
        """The answer to a question; raises the worker's error, or WorkerUnreachable."""
        ticket = flight.Ticket(_pack_question(shop_id, sql, params))
        options = flight.FlightCallOptions(timeout=_ANSWER_SECONDS)
        return self._ask(lambda client: client.do_get(ticket, options).read_all())

    def act(self, name: str, body: bytes = b"") -> bytes:
        """Have the worker take a step and wait until it is done, however long that takes."""
        action = flight.Action(name, body)
        answer = self._ask(lambda client: next(iter(client.do_action(action))).body.to_pybytes())
        return bytes(answer)

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _ask(self, question: Callable[[flight.FlightClient], Any]) -> Any:
        for attempt in (1, 2):
            client = self._connected()
            try:
                return question(client)
            except flight.FlightUnavailableError as error:
                # The worker went away; perhaps the next one is there already.
                self._drop(client)
                if attempt == 2:
                    raise WorkerUnreachable from error
            except flight.FlightTimedOutError as error:
                raise Unavailable("The worker did not answer in time; ask again later.") from error
            except flight.FlightError as error:
                raise _our_error(error) from error
        raise AssertionError("unreachable")

    def _connected(self) -> flight.FlightClient:
        if not worker_answers(self._socket_path):
            raise WorkerUnreachable
        with self._lock:
            if self._client is None:
                self._client = flight.FlightClient(
                    _location(socket_address(self._socket_path)),
                    # A channel of its own: a shared one waits a second after each failure to connect.
                    generic_options=[("grpc.use_local_subchannel_pool", 1)],
                )
            return self._client

    def _drop(self, client: flight.FlightClient) -> None:
        with self._lock:
            if self._client is client:
                self._client = None
        # Others may still be reading from it; it closes when the last of them lets go.


def worker_answers(socket_path: Path) -> bool:
    """Whether a worker listens on the socket of a data folder."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(socket_address(socket_path)))
        except OSError:
            return False
    return True


def socket_address(socket_path: Path) -> Path:
    """Where the socket really is: a path too long for one stands in the file beside it."""
    if _fits(socket_path):
        return socket_path.absolute()
    try:
        return Path(_pointer(socket_path).read_text())
    except FileNotFoundError:
        return socket_path.absolute()


class _Server(flight.FlightServerBase):  # type: ignore[misc]
    """Flight's side of it: tickets are questions, actions are steps, errors travel by name."""

    def __init__(self, path: Path, query: Query, actions: Mapping[str, Action]) -> None:
        self._query = query
        self._actions = actions
        super().__init__(_location(path))
        path.chmod(0o600)

    def do_get(self, _context: Any, ticket: flight.Ticket) -> flight.RecordBatchStream:
        """The answer to a question, batch by batch."""
        with _told():
            shop_id, sql, params = _unpack_question(ticket.ticket)
            return flight.RecordBatchStream(self._query(shop_id, sql, params))

    def do_action(self, _context: Any, action: flight.Action) -> Iterator[bytes]:
        """Take a step."""
        with _told():
            step = self._actions.get(action.type)
            if step is None:
                raise errors.NotFound(f"This worker knows no step {action.type!r}.")
            return iter([step(action.body.to_pybytes())])


@contextmanager
def _told() -> Iterator[None]:
    """Errors go to whoever asked: ours as they are, others by name, with their traceback in the worker's log."""
    try:
        yield
    except Customer360Error as error:
        told = [type(error).__name__, str(error)]
        raise flight.FlightServerError(str(error), msgspec.json.encode(told)) from error
    except Exception as error:
        logger.exception("a question to the warehouse failed")
        told = ["", f"{type(error).__name__}: {error}"]
        raise flight.FlightServerError(told[1], msgspec.json.encode(told)) from error


def _our_error(error: flight.FlightError) -> Customer360Error:
    try:
        name, message = msgspec.json.decode(error.extra_info, type=tuple[str, str])
    except msgspec.DecodeError:
        return Customer360Error(str(error))
    kind = getattr(errors, name, None) if name else None
    if isinstance(kind, type) and issubclass(kind, Customer360Error):
        return kind(message)
    return Customer360Error(message)


def _pack_question(shop_id: int, sql: str, params: Sequence[Any]) -> bytes:
    """A question as one Arrow row, as Arrow knows decimals, times and lists and JSON does not."""
    columns = [pa.array([value]) for value in params]
    names = [str(place) for place in range(len(columns))]
    batch = pa.record_batch(
        [pa.array([shop_id], pa.int64()), pa.array([sql], pa.string()), *columns],
        ["shop_id", "sql", *names],
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def _unpack_question(packed: bytes) -> tuple[int, str, list[Any]]:
    with pa.ipc.open_stream(packed) as reader:
        shop_id, sql, *params = (column[0].as_py() for column in reader.read_all().columns)
    return shop_id, sql, params


def _held_lock(path: Path) -> int:
    """A lock that the kernel frees when this process ends, however it ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise WarehouseBusy("Another worker serves this data folder already.") from error
    return descriptor


def _claim_path(socket_path: Path) -> Path:
    """Where to listen; what a worker that was killed left there is removed."""
    _forget_path(socket_path)
    path = socket_path.absolute()
    if not _fits(socket_path):
        path = Path(tempfile.mkdtemp(prefix="c360-")) / "worker.sock"
        _pointer(socket_path).write_text(str(path))
    path.unlink(missing_ok=True)
    return path


def _forget_path(socket_path: Path) -> None:
    pointer = _pointer(socket_path)
    if pointer.exists():
        elsewhere = Path(pointer.read_text())
        with suppress(OSError):
            elsewhere.unlink(missing_ok=True)
            elsewhere.parent.rmdir()
        pointer.unlink()


def _fits(path: Path) -> bool:
    return len(os.fsencode(path.absolute())) <= _LONGEST_PATH


def _pointer(socket_path: Path) -> Path:
    return socket_path.with_suffix(".path")


def _location(path: Path) -> str:
    # Twice, as Arrow and then gRPC undo it.
    return f"grpc+unix://{quote(quote(os.fsencode(path)))}"
