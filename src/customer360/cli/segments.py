"""`c360 segment`: groups of people by rule: list, show, make, preview, delete and export them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from customer360.cli.opening import JsonOption, ShopOption, named_shop, opened_app
from customer360.cli.output import ask, print_json, print_pairs, print_table
from customer360.errors import InvalidInput

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from customer360.access.shops import Shop
    from customer360.segments.ast import Rule
    from customer360.segments.model import Segment
    from customer360.segments.preview import Preview
    from customer360.segments.sentence import Speaker

commands = typer.Typer(help="Groups of people by rule.", no_args_is_help=True)

SegmentArgument = Annotated[
    str, typer.Argument(metavar="SEGMENT", help="The segment's id, or its name.")
]
QueryOption = Annotated[
    str | None, typer.Option("--query", help="The rule as text: orders_count >= 2.")
]
RuleOption = Annotated[
    Path | None, typer.Option("--rule", help="A file with the rule as JSON; - is standard input.")
]
# What was left out is told on standard error where the file goes to standard output.
_STDOUT = Path("-")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands, name="segment")


@commands.command("list")
def list_all(shop: ShopOption, as_json: JsonOption = False) -> None:
    """Every segment with its size and state, All customers first, then by last activity."""
    from customer360.segments.detail import count_customers
    from customer360.segments.store import list_segments

    with opened_app("cli") as app:
        with app.database.read() as connection:
            found = named_shop(connection, shop)
        customers = count_customers(app.warehouse, found.shop_id)
        with app.database.read() as connection:
            segments = list_segments(connection, found.shop_id, customers)
    if as_json:
        print_json([_described(one, _speaker(found, segments)) for one in segments])
        return
    rows = [
        (
            str(one.segment_id),
            one.name,
            f"{one.members:,}",
            _share(one.members, customers),
            _state(one),
        )
        for one in segments
    ]
    print_table(("id", "name", "members#", "share#", "state"), rows)


@commands.command("show")
def show(segment: SegmentArgument, shop: ShopOption, as_json: JsonOption = False) -> None:
    """One segment: its rule as text and in plain words, its size and state, and what asks for it."""
    from customer360.segments.store import list_segments, used_by
    from customer360.segments.write import write_query

    with opened_app("cli") as app, app.database.read() as connection:
        found = named_shop(connection, shop)
        one = named_segment(connection, found.shop_id, segment)
        speaker = _speaker(found, list_segments(connection, found.shop_id))
        users = [user.name for user in used_by(connection, found.shop_id, one.segment_id)]
    if as_json:
        print_json({**_described(one, speaker), "used_by": users})
        return
    print_pairs(
        (
            ("Segment", str(one.segment_id)),
            ("Name", one.name),
            ("Means", speaker.sentence(one.rule)),
            ("Query", write_query(one.rule) or "(everybody)"),
            ("Members", "all customers" if one.built_in else f"{one.members:,}"),
            ("State", _state(one)),
            ("Used by", ", ".join(users) or "no other segment"),
        )
    )


@commands.command("create")
def create(
    shop: ShopOption,
    name: Annotated[str, typer.Option(help="At most 150 characters; no other segment's.")],
    query: QueryOption = None,
    rule: RuleOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a segment; the worker finds its members."""
    from customer360.access.plans import plan
    from customer360.segments.store import create_segment, list_segments

    wanted = _rule(query, rule)
    with opened_app("cli") as app:
        with app.database.write() as connection:
            found = named_shop(connection, shop)
            limit = plan(found.plan).custom_segments
            made = create_segment(
                connection, found.shop_id, name, wanted, app.clock.now(), limit=limit
            )
        with app.database.read() as connection:
            speaker = _speaker(found, list_segments(connection, found.shop_id))
    if as_json:
        print_json(_described(made, speaker))
    else:
        typer.echo(f"Made segment {made.segment_id}, {made.name}: {speaker.sentence(made.rule)}")


@commands.command("preview")
def preview(
    shop: ShopOption,
    query: QueryOption = None,
    rule: RuleOption = None,
    as_json: JsonOption = False,
) -> None:
    """How many people a rule means now, how they can be reached, and what hides them where it means nobody."""
    from customer360.profiles.stages import shop_calendar
    from customer360.segments import preview as previews
    from customer360.segments.ast import check_known
    from customer360.segments.store import list_segments

    wanted = _rule(query, rule)
    with opened_app("cli") as app:
        with app.database.read() as connection:
            found = named_shop(connection, shop)
            segments = list_segments(connection, found.shop_id)
        check_known(wanted, [one.segment_id for one in segments])
        seen = previews.preview(
            app.warehouse,
            found.shop_id,
            wanted,
            app.clock.now(),
            shop_calendar(found.timezone, found.settings),
        )
    speaker = _speaker(found, segments)
    if as_json:
        print_json(_previewed(seen, wanted, speaker))
    else:
        _say(seen, wanted, speaker)


@commands.command("delete")
def delete(
    segment: SegmentArgument,
    shop: ShopOption,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a segment that no other one asks for; people and their data stay."""
    from customer360.segments.store import delete_segment

    with opened_app("cli") as app:
        with app.database.read() as connection:
            found = named_shop(connection, shop)
            one = named_segment(connection, found.shop_id, segment)
        ask(f"Delete the segment {one.name}?", yes=yes)
        with app.database.write() as connection:
            delete_segment(connection, found.shop_id, one.segment_id)
    typer.echo(f"Deleted {one.name}.")


@commands.command("export")
def export(
    segment: SegmentArgument,
    shop: ShopOption,
    format: Annotated[str, typer.Option(help="One of docs/exports.md, such as csv or meta.")],
    output: Annotated[
        Path, typer.Option(help="The file to write; - is standard output.")
    ] = _STDOUT,
    everybody: Annotated[
        bool, typer.Option("--everybody", help="Also those who did not agree to it.")
    ] = False,
) -> None:
    """Write the members to a file for a spreadsheet or another system; who did not agree is left out."""
    from customer360.exports.export import Export, format_named
    from customer360.values import counted

    wanted = format_named(format)
    with opened_app("cli") as app:
        with app.database.read() as connection:
            found = named_shop(connection, shop)
            one = named_segment(connection, found.shop_id, segment)
        made = Export(
            app.database,
            app.warehouse,
            found,
            one,
            wanted,
            clock=app.clock,
            actor="command line",
            everybody=everybody,
        )
        with _opened(output) as file:
            for piece in made.pieces():
                file.write(piece)
    left_out = made.without_consent + made.without_contact
    told = f"{counted(made.written, 'row')} written"
    if left_out:
        told += f"; left out: {made.without_consent:,} without consent, {made.without_contact:,} without contact"
    typer.echo(f"{told}.", err=True)


def named_segment(connection: Connection, shop_id: int, text: str) -> Segment:
    """The segment of this id or name; raises SegmentNotFound."""
    from customer360.errors import SegmentNotFound
    from customer360.segments.store import list_segments

    for one in list_segments(connection, shop_id):
        if text == str(one.segment_id) or text.casefold() == one.name.casefold():
            return one
    raise SegmentNotFound(
        f"No segment has the id or name {text!r}; `c360 segment list` shows them."
    )


def _rule(query: str | None, file: Path | None) -> Rule:
    """The rule that the options tell; raises InvalidInput, InvalidQuery and InvalidRule with its place."""
    import json

    from customer360.errors import InvalidQuery, InvalidRule
    from customer360.segments.parse import line_and_column, parse_query
    from customer360.segments.rule import read_rule

    if (query is None) == (file is None):
        raise InvalidInput("Tell the rule with --query or with --rule.")
    if query is not None:
        try:
            return parse_query(query)
        except InvalidQuery as error:
            line, column = line_and_column(query, error.position)
            raise InvalidQuery(f"Line {line}, column {column}: {error}", error.position) from error
    assert file is not None
    try:
        text = sys.stdin.read() if file == _STDOUT else file.read_text()
        return read_rule(json.loads(text))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"The rule cannot be read: {error}") from error
    except InvalidRule as error:
        raise InvalidRule(f"{error.path or 'rule'}: {error}", error.path) from error


@contextmanager
def _opened(output: Path) -> Iterator[BinaryIO]:
    """The file to write: it appears when it is complete."""
    if output == _STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("wb") as file:
            part.chmod(0o600)
            yield file
        part.replace(output)
    except OSError as error:
        raise InvalidInput(f"{output} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


def _speaker(shop: Shop, segments: list[Segment]) -> Speaker:
    from customer360.segments.sentence import Speaker

    return Speaker(shop.currency, {one.segment_id: one.name for one in segments})


def _described(one: Segment, speaker: Speaker) -> dict[str, Any]:
    from customer360.clock import to_iso
    from customer360.segments.rule import write_rule
    from customer360.segments.write import write_query

    return {
        "segment_id": str(one.segment_id),
        "name": one.name,
        "rule": write_rule(one.rule),
        "query": write_query(one.rule),
        "sentence": speaker.sentence(one.rule),
        "state": one.state,
        "progress": one.progress,
        "failure": one.failure,
        "members": one.members,
        "built_in": one.built_in,
        "refreshed_at": to_iso(one.refreshed_at),
    }


def _state(one: Segment) -> str:
    if one.state == "failed":
        return f"failed: {one.failure}"
    return f"syncing {one.progress} %" if one.state == "syncing" else one.state


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _previewed(seen: Preview, rule: Rule, speaker: Speaker) -> dict[str, Any]:
    from customer360.segments.rule import write_node

    return {
        "count": seen.count,
        "everyone": seen.everyone,
        "share": seen.share,
        "samples": [str(one.profile_id) for one in seen.samples],
        "sentence": speaker.sentence(rule),
        "reachable": seen.reachable,
        "bottlenecks": [
            {
                "condition": write_node(one.node),
                "says": speaker.clause(one.node),
                "count": one.count,
            }
            for one in seen.bottlenecks
        ],
        "notices": [one.text for one in seen.notices],
    }


def _say(seen: Preview, rule: Rule, speaker: Speaker) -> None:
    typer.echo(speaker.sentence(rule))
    typer.echo(f"{seen.count:,} of {seen.everyone:,} ({_share(seen.count, seen.everyone)})")
    if seen.count:
        reachable = ", ".join(f"{channel} {count:,}" for channel, count in seen.reachable.items())
        typer.echo(f"Can be reached: {reachable}")
    for one in seen.bottlenecks:
        typer.echo(f"Without “{speaker.clause(one.node)}” it would be {one.count:,}.")
    if not seen.count and seen.everyone and not seen.bottlenecks:
        typer.echo("Leaving out a single condition would find nobody either.")
    for notice in seen.notices:
        typer.secho(f"Note: {notice.text}", fg="yellow")
