"""`c360 demo`: makes the shop, serves it and signs in; the second time it finds it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

LINK = re.compile(r"http://\S+/sign-in/link/\S+")


@contextmanager
def demo(data_dir: Path) -> Iterator[tuple[str, list[str]]]:
    """The sign-in link that a running demo printed, and everything it said until then."""
    command = [sys.executable, "-m", "customer360.cli", "demo"]
    environment = os.environ | {"C360_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*command, "--customers", "4", "--port", "0", "--no-open"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if found := LINK.search(line):
                yield found[0], said
                break
        else:
            raise AssertionError("".join(said))
    finally:
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        process.stdout.close()
        assert process.wait(30) == 0


def test_the_demo_serves_a_page_that_signs_in_and_makes_its_shop_once(tmp_path: Path):
    with demo(tmp_path) as (link, said):
        assert any("Inventing 4 customers" in line for line in said)
        assert httpx.get(link, timeout=20).status_code == 200
    with demo(tmp_path) as (link, said):
        assert not any("Inventing" in line for line in said)
        assert httpx.get(link, timeout=20).status_code == 200
