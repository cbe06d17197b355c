"""Build hook: takes htmx out of the django-htmx wheel; nothing is vendored, no CDN is asked."""

import shutil
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HTMX = "django_htmx/static/django_htmx/htmx-2.min.js"
TARGET = "src/customer360/web/static/vendor/htmx.min.js"


class TakeHtmx(BuildHookInterface):
    """Copies htmx into the web package, for a wheel and for an editable install alike."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Reads the file by its place in the wheel; importing django_htmx would need Django."""
        target = Path(self.root, TARGET)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(distribution("django-htmx").locate_file(HTMX), target)
