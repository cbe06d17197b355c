"""Each benchmark runs the whole way on a tiny store; how fast it was is no test's business."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from customer360.bench.crowd import crowd
from customer360.bench.enrichment import bench_enrich
from customer360.bench.freshness import Steady
from customer360.bench.identity import bench_identity
from customer360.bench.importing import bench_import, write_lines
from customer360.bench.ingest import bench_ingest
from customer360.bench.membership import bench_membership, queries
from customer360.bench.reading import bench_read
from customer360.bench.store import fill_with_events, new_store, prepared, watching
from customer360.cli import app
from customer360.identities.bulk import resolve_in_bulk
from customer360.identities.resolve import resolve
from customer360.segments.parse import parse_query
from customer360.segments.write import write_query


def quiet(_step: str, _done: int, _total: int) -> None:
    """No progress bar."""


PRELOAD = 300


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a store that two benchmarks begin with is kept, as filling one takes a while."""
    return tmp_path_factory.mktemp("kept")


def test_ingest_measures_throughput_acknowledgement_and_freshness(kept: Path):
    result = bench_ingest(
        events=400, preload=PRELOAD, kept_in=kept, steady=Steady(100, 2), progress=quiet
    )
    assert result.figure > 0
    assert result.limit > 0
    assert result.ratio == pytest.approx(result.figure / result.limit)
    assert result.more["acknowledgement_ms"]["p99"] > 0
    assert result.more["visible_probes"] > 0
    assert result.more["page_ms"]["p50"] > 0


def test_read_measures_pages_of_a_big_profile_and_of_many_customers():
    result = bench_read(customers=30, events=120, times=2, progress=quiet)
    measured = {name for name in result.more if name.endswith("_ms")}
    assert measured == {
        *("profile_page_ms", "profile_api_ms", "timeline_api_ms"),
        *("customers_page_ms", "customers_by_spend_ms", "customers_far_page_ms"),
    }
    assert result.figure > result.limit > 0


def test_import_counts_every_line_of_the_file_and_measures_memory(tmp_path: Path):
    path = write_lines(tmp_path / "lines.csv.gz", 250)
    result = bench_import(file=path, progress=quiet)
    assert result.more["lines"] == 250
    assert result.more["peak_memory_mib"] > 10
    assert result.figure > 0


def test_identity_measures_bulk_stream_and_single_people():
    result = bench_identity(pairs=20_000, events=600, fragments=20, times=2, progress=quiet)
    assert result.ratio == pytest.approx(result.limit / result.figure)
    assert result.more["components"] > result.more["replayed"] > 0
    assert result.more["linked"]["events_per_second"] > 0
    assert {name for name in result.more if name.endswith("_ms")} == {
        *("late_event_of_one_person_ms", "late_event_of_a_tablet_ms"),
        *("merge_ms", "explain_ms", "undo_ms"),
    }


def test_the_crowd_of_the_benchmark_is_mostly_simple_and_otherwise_what_resolve_says():
    people = crowd(20_000)
    everybody = people.tell(np.arange(len(people.observed.first_at)))
    whole = resolve(everybody)
    found = resolve_in_bulk(people.observed, people.tell)
    assert len(people.observed.carrier) == pytest.approx(20_000, rel=0.1)
    assert 0.95 < found.components.simple.mean() < 1
    assert len(set(found.profile.tolist())) == len(set(whole.profile_of.values()))
    pairs = {
        (n, whole.profile_of[one.fragment_id, 0])
        for n, one in zip(found.profile.tolist(), everybody, strict=True)
    }
    assert len(pairs) == len(set(found.profile.tolist()))


def test_a_kept_store_is_filled_once_and_copied_after(tmp_path: Path):
    fills = []

    def fill(store):
        fills.append(store.data_dir)
        return fill_with_events(store, 50, quiet)

    for _ in range(2):
        with prepared(tmp_path, "small", fill) as store:
            assert (store.events, store.path.is_dir()) == (50, True)
            with watching(store) as watch:
                assert watch.settled()
    assert len(fills) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


def test_an_empty_store_has_nothing_waiting(tmp_path: Path):
    store = new_store(tmp_path / "data")
    with watching(store) as watch:
        assert (watch.waiting(), watch.settled()) == (0, True)


def test_the_command_prints_json_for_programs():
    ran = CliRunner().invoke(app, ["bench", "import", "--lines", "120", "--json"])
    assert ran.exit_code == 0
    told = json.loads(ran.stdout)
    assert (told["benchmark"], told["lines"]) == ("import", 120)
    assert told["ratio"] == pytest.approx(told["figure"] / told["limit"], rel=0.01)


def test_membership_measures_how_soon_an_event_moves_somebody_in_and_out(kept: Path):
    result = bench_membership(
        preload=PRELOAD, segments=6, kept_in=kept, steady=Steady(50, 2), progress=quiet
    )
    assert result.more["in_ms"]["p50"] > 0
    assert result.more["out_ms"]["p50"] > 0
    assert result.more["moves"] >= 4
    assert result.more["segments"] == 6
    assert result.more["members"] > 0


def test_the_rules_of_the_benchmark_are_different_and_the_same_each_time():
    rules = [parse_query(one) for one in queries(300)]
    assert len(set(map(write_query, rules))) == 300
    assert rules == [parse_query(one) for one in queries(300)]


def test_enrich_measures_a_first_run_one_with_nothing_new_and_the_fit_beside_lifetimes(
    tmp_path: Path,
) -> None:
    result = bench_enrich(buyers=600, rounds=1, kept_in=tmp_path, progress=quiet)

    assert result.figure > result.limit > 0
    assert result.more["orders"] > result.more["buyers"] == result.more["written"] == 600
    assert result.more["again"]["written"] == 0
    assert result.more["peak_memory_mib"] > 0
    assert result.more["fit"]["parameters_apart"] < 0.01
    assert result.more["fit"]["times_as_fast"] > 0
