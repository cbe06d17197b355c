"""The benchmark of reports reads every report and asks DuckDB the same, on a tiny shop, untimed."""

from __future__ import annotations

from pathlib import Path

from customer360.bench.reports import RANGES, bench_reports
from customer360.reports import REPORTS


def test_every_report_is_read_and_its_bare_query_asked(tmp_path: Path) -> None:
    found = bench_reports(
        profiles=200, events=2000, rounds=1, kept_in=tmp_path, progress=lambda *_: None
    )

    for report in REPORTS:
        for name in RANGES:
            told = found.more[report.name][name]
            assert told["p95"] >= told["p50"] > 0
            assert told["bare"] > 0
    assert found.more["/customers"]["p50"] > 0
    assert found.figure == max(found.more[report.name]["90d"]["p95"] for report in REPORTS)
