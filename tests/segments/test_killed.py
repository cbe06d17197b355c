"""A worker that is killed at any moment of a refresh records no move twice and loses none."""

import random
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from customer360.segments.ast import Rule, rule_of
from customer360.segments.conditions import attribute_is
from customer360.storage.database import Database
from tests.segments.club import Club
from tests.segments.shop import Person

WORKER = """
import sys
from itertools import count
from pathlib import Path
from customer360.segments.store import change_segment
from customer360.storage.database import Database
from tests.segments.club import Club
from tests.segments.test_killed import PEOPLE, people, rule

club = Club.__new__(Club)
club.open(Database(sys.argv[1], sync_each_commit=False), Path(sys.argv[2]), most_moves=5)
whole, followed = map(int, sys.argv[3:5])
for number in count(int(sys.argv[5])):
    club.fill(people(number))
    club.note(range(1, PEOPLE + 1))
    club.do(change_segment, whole, club.clock.now(), rule=rule(number % 4))
    club.refresh()
    print("ready", flush=True)
"""

PEOPLE = 40


def people(number: int) -> list[Person]:
    """Everybody counts up, and begins again at 3."""
    return [
        Person(one, attributes={"orders_count": (one + number) % 4}) for one in range(1, PEOPLE + 1)
    ]


def rule(least: int) -> Rule:
    return rule_of(attribute_is("orders_count", "gte", least))


def test_every_move_is_recorded_once_whenever_the_worker_is_killed(
    sqlite_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "warehouse"
    with closing(Database(sqlite_url)) as database:
        with closing(Club(database, folder)) as club:
            club.fill(people(0))
            whole, followed = club.make("Whole", rule(0)), club.make("Followed", rule(2))
            club.refresh()
        moments, root = random.Random(5), Path(__file__).parents[2]
        for number in range(4):
            arguments = [sqlite_url, folder, whole, followed, number]
            command = [sys.executable, "-c", WORKER, *map(str, arguments)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as worker:
                assert worker.stdout is not None
                assert worker.stdout.readline() == b"ready\n"
                time.sleep(moments.uniform(0.02, 0.4))
                worker.kill()
            club = Club.__new__(Club)
            club.open(database, folder)
            with closing(club):
                club.fill(people(number))
                club.note(range(1, PEOPLE + 1))
                club.refresh()
                assert club.members(followed) == {
                    one.profile_id for one in people(number) if one.attributes["orders_count"] >= 2
                }
                assert club.segment(whole).state == "updated"
                for segment_id in (whole, followed):
                    assert standing(club, segment_id) == club.members(segment_id)
        assert len(club.moves()) > 200, "much happened"


def standing(club: Club, segment_id: int) -> set[int]:
    """Who is in by the moves alone; nobody comes where they are, or leaves where they are not."""
    inside: set[int] = set()
    for one in club.moves():
        if one.segment_id == segment_id:
            assert (one.profile_id in inside) != one.entered
            inside ^= {one.profile_id}
    return inside
