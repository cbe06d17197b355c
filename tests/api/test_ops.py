"""Health, readiness, figures, and logs that tell nothing about anybody."""

import logging

import pytest
from fastapi import FastAPI
from sqlalchemy import insert
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from customer360.api import create
from customer360.api.doors import Doors
from customer360.clock import SECOND
from customer360.identities.tables import alerts
from customer360.jobs.tables import job_runs
from customer360.segments.ast import EVERYONE
from customer360.segments.store import create_segment
from customer360.storage.metadata import profile_changes
from tests.api.conftest import Open, Street

SECRET = "ann@example.com"


def test_a_running_server_is_alive_and_ready(street: Street) -> None:
    assert street.client.get("/healthz").json() == {"status": "ok"}
    assert street.client.get("/readyz").json() == {"status": "ok"}


def test_without_its_tables_a_server_is_alive_but_not_ready(street: Street) -> None:
    with street.database.write() as connection:
        connection.exec_driver_sql("drop table shop_clock")
    assert street.client.get("/healthz").status_code == 200
    for path in ("/readyz", "/metrics"):
        answer = street.client.get(path)
        assert (answer.status_code, answer.json()["title"]) == (503, "Not ready")
        assert answer.headers["retry-after"] == "5"


def test_the_figures_tell_what_came_and_what_waits(street: Street) -> None:
    body = {"batch": [{"type": "track", "userId": SECRET}, 1]}
    assert street.client.post("/v1/batch", json=body, headers=street.basic()).status_code == 200
    alert = {"alert_id": 1, "kind": "frozen", "fragment_id": 1, "made_at": 1}
    with street.database.write() as connection:
        shop_id = street.shop.shop.shop_id
        connection.execute(insert(alerts).values(shop_id=shop_id, **alert))
        create_segment(connection, shop_id, "VIPs", EVERYONE, 1, limit=None)
        note = {"change": 2, "profile_id": 1}
        connection.execute(insert(profile_changes).values(shop_id=shop_id, **note))
        for run_id, ended_at in ((1, 0), (2, street.clock.now() - 90 * SECOND)):
            run = {"run_id": run_id, "kind": "enrichment", "state": "done", "ended_at": ended_at}
            told = {"began_at": 0, "moved_at": 0}
            connection.execute(insert(job_runs).values(shop_id=shop_id, **run, **told))
    text = street.client.get("/metrics").text
    for line in (
        'customer360_received_total{source="segment"} 2.0',
        'customer360_signals{outcome="received",source="segment"} 2.0',
        'customer360_signals{outcome="rejected",source="segment"} 1.0',
        "customer360_waiting_signals 1.0",
        'customer360_open_alerts{acknowledged="false",kind="frozen"} 1.0',
        'customer360_dead_letters{reason="not_an_object",source="segment"} 1.0',
        'customer360_segments{state="waiting"} 1.0',
        "customer360_profile_changes_to_follow 1.0",
        'customer360_job_age_seconds{kind="enrichment"} 90.0',
        "customer360_inbox_commit_seconds_count 1.0",
        "customer360_acknowledgement_seconds_count 1.0",
    ):
        assert line in text.splitlines()
    assert SECRET not in text
    assert str(street.shop.shop.shop_id) not in text


def test_the_log_names_routes_and_never_paths_or_queries(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    street.client.get(f"/v1/projects/{SECRET}/settings")
    street.client.get("/sourceConfig/", params={"writeKey": SECRET})
    street.client.get(f"/{SECRET}")
    street.client.post("/v1/track", json={"userId": SECRET}, headers=street.basic())
    street.client.post("/v1/t", json={"userId": SECRET}, headers=street.basic())
    ours = [
        record.getMessage() for record in caplog.records if record.name.startswith("customer360")
    ]
    assert [line.rpartition(" ")[0].rpartition(" ")[0] for line in ours] == [
        "GET /v1/projects/{write_key}/settings 401",
        "GET /sourceConfig/ 401",
        "GET (no route) 404",
        "POST /v1/track 200",
        "POST /v1/t 200",
    ]
    assert SECRET not in "".join(ours)


def test_an_unforeseen_error_tells_nobody_anything(
    open_street: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def create_with_fault(doors: Doors) -> FastAPI:
        api = original(doors)
        api.router.routes.append(Route("/fault", fault))
        return api

    def fault(_request: Request) -> Response:
        raise KeyError(SECRET)

    original = create.create_api
    monkeypatch.setattr("tests.api.conftest.create_api", create_with_fault)
    answer = open_street().client.get("/fault")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    assert SECRET not in caplog.text
    assert "/fault failed: KeyError at test_ops.py:" in caplog.text


def test_a_disk_that_fails_answers_503_and_says_when_to_retry(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    with street.database.write() as connection:
        connection.exec_driver_sql("drop table inbox")
    answer = street.client.post("/v1/track", json={"userId": SECRET}, headers=street.basic())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert SECRET not in answer.text + caplog.text
