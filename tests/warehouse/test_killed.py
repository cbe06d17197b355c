"""A worker that is killed at any moment of a sync loses nothing and copies nothing twice."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.warehouse.store import Copied

WORKER = """
import sys
from pathlib import Path
from customer360.storage.database import Database
from customer360.warehouse.sync import sync
from tests.warehouse.store import SCHEMA, Store, open_engine

database = Database(sys.argv[1], sync_each_commit=False)
store = Store.__new__(Store)
store.database, store.shop_id = database, 1
engine = open_engine(Path(sys.argv[2]))
print("ready", flush=True)
while True:
    ids = store.add_events(20, fragment_id=1, properties={"title": "Shirt", "color": "red"})
    store.move_events(ids[:5], 2)
    store.put_order(ids[0], [{}, {}])
    sync(database, engine, 1, SCHEMA, chunk_rows=15)
    engine.rest()
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_warehouse_equals_a_rebuild_after_every_kill(
    copied: Copied, database_url: str, tmp_path: Path
) -> None:
    copied.engine.close()
    moments = random.Random(5)
    for _ in range(5):
        command = [sys.executable, "-c", WORKER, database_url, str(tmp_path / "warehouse")]
        root = Path(__file__).parents[2]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as worker:
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"ready\n"
            time.sleep(moments.uniform(0.02, 0.4))
            worker.kill()
        copied.sync()
        everything = copied.everything()
        assert len({row[0] for row in everything["event_facts"]}) == len(everything["event_facts"])
        copied.rebuild()
        assert copied.everything() == everything
        copied.engine.close()
    assert len(everything["event_facts"]) > 20
