"""The pages: server-rendered HTML for people, joined to the server by `create_web`."""

from customer360.web.routes import create_web

__all__ = ["create_web"]
