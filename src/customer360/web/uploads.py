"""Files that people upload: where they wait, and the import that reads them in the background."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from customer360.errors import Customer360Error, ImportNotFound, NotFound, place_of
from customer360.intake.files.jobs import Import, read_import, start_import
from customer360.intake.files.plan import Plan
from customer360.values import new_ids

if TYPE_CHECKING:
    from customer360.app import App

_log = logging.getLogger(__name__)

# As long as the raw payloads that were made of it: until then its rejects can be downloaded.
_KEPT_SECONDS = 7 * 24 * 3600
# An import is one reader and one writer; a second one would only make both slower.
_IMPORTS_AT_ONCE = 1


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that waits for its columns to be confirmed."""

    upload_id: int
    path: Path
    file_name: str
    kind: str


class Uploads:
    """Keeps the files in the data folder, a folder for each shop, and reads them one after the other."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(_IMPORTS_AT_ONCE, "import")
        self._running: set[int] = set()
        self._lock = threading.Lock()

    def keep(self, shop_id: int, stream: IO[bytes], file_name: str, kind: str) -> Upload:
        """Put an uploaded file aside; files that nobody needs any more go."""
        folder = self._folder(shop_id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _forget_old(folder)
        upload_id = new_ids.next()
        # The suffix says how a file is packed; nothing else of the name may reach the disk.
        path = folder / f"{upload_id}{'.csv.gz' if file_name.endswith('.gz') else '.csv'}"
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file, 1024 * 1024)
        name = Path(file_name.replace("\\", "/")).name[:200] or "file"
        (folder / f"{upload_id}.json").write_text(json.dumps({"file_name": name, "kind": kind}))
        return Upload(upload_id, path, name, kind)

    def find(self, shop_id: int, upload_id: int) -> Upload:
        """A file put aside before; raises NotFound."""
        folder = self._folder(shop_id)
        about = folder / f"{upload_id}.json"
        path = _file_of(folder, str(upload_id))
        if path is None or not about.is_file():
            raise NotFound("This upload is gone; choose the file again.")
        told = json.loads(about.read_text())
        return Upload(upload_id, path, told["file_name"], told["kind"])

    def start(self, shop_id: int, upload: Upload, plan: Plan) -> Import:
        """Begin the import of an upload in the background."""
        app = self._app
        job = start_import(
            app.database, app.clock, shop_id, upload.path, plan, file_name=upload.file_name
        )
        path = upload.path.with_name(f"import-{job.import_id}{''.join(upload.path.suffixes)}")
        upload.path.rename(path)
        upload.path.with_name(f"{upload.upload_id}.json").unlink()
        self._read(job, path)
        return job

    def resume(self, job: Import) -> None:
        """Go on with an import that was interrupted."""
        self._read(job, self.file_of(job))

    def file_of(self, job: Import) -> Path:
        """The file of an import; raises ImportNotFound when it is not kept any more."""
        path = _file_of(self._folder(job.shop_id), f"import-{job.import_id}")
        if path is None:
            raise ImportNotFound("The file of this import is not kept any more.")
        return path

    def has_file(self, job: Import) -> bool:
        """Whether the file is still there, to go on with or to look rejects up in."""
        return _file_of(self._folder(job.shop_id), f"import-{job.import_id}") is not None

    def is_running(self, import_id: int) -> bool:
        """Whether this process reads the file now, or will."""
        with self._lock:
            return import_id in self._running

    def _read(self, job: Import, path: Path) -> None:
        with self._lock:
            if job.import_id in self._running:
                return
            self._running.add(job.import_id)
        self._pool.submit(self._read_in_background, job, path)

    def _read_in_background(self, job: Import, path: Path) -> None:
        app = self._app
        try:
            read_import(
                app.database, app.clock, job, path, min_free_bytes=app.settings.min_free_bytes
            )
        except Customer360Error as error:
            # It stands on the page of the import, or the import can go on from there.
            _log.warning("Import %d stopped: %s", job.import_id, type(error).__name__)
        except Exception as error:
            _log.error("Import %d stopped: %s", job.import_id, place_of(error))
        finally:
            with self._lock:
                self._running.discard(job.import_id)

    def _folder(self, shop_id: int) -> Path:
        return self._app.settings.data_dir / "uploads" / str(shop_id)


def _file_of(folder: Path, name: str) -> Path | None:
    return next(
        (path for suffix in (".csv", ".csv.gz") if (path := folder / f"{name}{suffix}").is_file()),
        None,
    )


def _forget_old(folder: Path) -> None:
    oldest = time.time() - _KEPT_SECONDS
    for path in folder.iterdir():
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
