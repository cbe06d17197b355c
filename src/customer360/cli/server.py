"""`c360 serve`, `c360 worker`, `c360 drain`: the processes of an installation."""

from __future__ import annotations

import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, nullcontext
from dataclasses import replace
from enum import StrEnum
from functools import partial
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from customer360.cli.opening import (
    AnyShopOption,
    named_shop,
    opened_app,
    opened_database,
    read_settings,
)
from customer360.errors import Unavailable

if TYPE_CHECKING:
    from uvicorn import Server

    from customer360.app import App
    from customer360.settings import Settings

# Requests under way when the server is told to stop have so long to end.
_GRACE_SECONDS = 10
# Connections that may wait while the server is busy or starting.
_BACKLOG = 2048
# A cold start of the worker takes a second or two; after so long the server goes on without it.
_WORKER_STARTS_SECONDS = 15
_POLL_SECONDS = 0.05
# Copying into the warehouse takes nothing from the making of profiles.
_WAREHOUSE_NICENESS = 5


class PortTaken(Unavailable):
    """The address cannot be listened on."""


class Half(StrEnum):
    """What a process of the worker does."""

    SIGNALS = "signals"
    WAREHOUSE = "warehouse"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("serve")(serve)
    app.command("worker")(worker)
    app.command("drain")(drain)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; C360_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; C360_PORT. 0 takes a free one.")] = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="The server alone; run `c360 worker` elsewhere.")
    ] = False,
) -> None:
    """Run the server and the worker."""
    settings = read_settings()
    run_server(
        replace(
            settings,
            host=settings.host if host is None else host,
            port=settings.port if port is None else port,
        ),
        with_worker=not no_worker,
    )


def worker(
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
    half: Annotated[Half | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the worker alone: one process makes profiles, another keeps the warehouse."""
    from customer360.cli.nights import ENRICHING, SCANNING, Nights
    from customer360.cli.processes import KeptWorker, end_with, give_way
    from customer360.worker import run

    if parent is not None:
        end_with(parent)
    stop = Event()
    _on_signals(stop.set)
    with opened_app("worker") as app:
        if half is Half.WAREHOUSE:
            give_way(_WAREHOUSE_NICENESS)
            run(app, stop, signals=False)
            return
        other = nullcontext() if half else KeptWorker(app.settings, worker_command(Half.WAREHOUSE))
        with other, Nights(app, SCANNING), Nights(app, ENRICHING):
            run(app, stop, warehouse=False)


def worker_command(half: Half) -> list[str]:
    """The command line of one half of the worker."""
    return [sys.executable, "-m", "customer360.cli", "worker", "--half", half.value]


def drain(shop: AnyShopOption = None) -> None:
    """Process all that waits, then return."""
    from customer360.values import counted
    from customer360.worker import drain as drain_inbox

    with opened_app("cli") as app:
        with app.database.read() as connection:
            shop_id = None if shop is None else named_shop(connection, shop).shop_id
        with typer.progressbar(length=1, label="Processing") as bar:
            taken = drain_inbox(app, shop_id, partial(_move, bar))
    typer.echo(f"Processed {counted(taken, 'signal')}; nothing waits.")


def _move(bar: Any, done: int, waiting: int) -> None:
    bar.length = max(done + waiting, 1)
    bar.update(done - bar.pos)


def _on_signals(stop: Callable[[], None]) -> None:
    """Stop in good order on SIGTERM and on Ctrl-C."""

    def asked(_number: int, _frame: FrameType | None) -> None:
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, asked)


class Stop:
    """Remembers a signal that asked us to stop, and tells the server where there is one already.

    Uvicorn raises the signals that it caught again when it has ended; nobody shall die of them then,
    for the worker is still to be stopped.
    """

    def __init__(self) -> None:
        self.asked = False
        self.server: Server | None = None
        _on_signals(self._ask)

    def _ask(self) -> None:
        self.asked = True
        if self.server is not None:
            self.server.should_exit = True


def run_server(
    settings: Settings, *, with_worker: bool, ready: Callable[[str], None] | None = None
) -> None:
    """Listen until a signal says stop, with the worker as a child process.

    `ready` is called with the server's address when requests may come.
    """
    from customer360.cli.processes import KeptWorker

    stop = Stop()
    with closing(_listen(settings)) as listener:
        settings = replace(settings, port=listener.getsockname()[1])
        with opened_database(settings):
            pass  # upgraded here, so that the two processes need not compete for it
        with ExitStack() as kept, opened_app("server", settings) as app:
            if with_worker:
                for half in Half:
                    kept.enter_context(KeptWorker(settings, worker_command(half)))
                _wait_for_worker(settings, stop)
            stop.server = _server(app)
            if not stop.asked:
                (ready or _greet)(settings.resolved_public_url)
                stop.server.run(sockets=[listener])
    typer.echo("Stopped.")


def _wait_for_worker(settings: Settings, stop: Stop) -> None:
    """Lists of customers need the worker; whoever comes while it starts waits instead of reading of an error."""
    from customer360.storage.flight import worker_answers

    until = time.monotonic() + _WORKER_STARTS_SECONDS
    while not (stop.asked or worker_answers(settings.socket_path) or time.monotonic() > until):
        time.sleep(_POLL_SECONDS)


def _greet(address: str) -> None:
    typer.echo(f"Customer 360 answers at {address}  (Ctrl-C stops it)")


def _listen(settings: Settings) -> socket.socket:
    """A listening socket; connections queue in it until the server takes them."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise PortTaken(
            f"Cannot listen on {settings.host}:{settings.port} ({error}); choose another address with"
            " --host and --port, or stop what listens there."
        ) from error
    return listener


def _server(app: App) -> Server:
    from uvicorn import Config, Server

    from customer360.server import create_server

    config = Config(
        create_server(app),
        # `begin_log` has set up the one log that there is.
        log_config=None,
        log_level=app.settings.log_level,
        # An address may hold a cookie or an e-mail; the app logs templates of routes instead.
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return Server(config)
