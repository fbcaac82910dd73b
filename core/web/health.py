"""Whether this process can do its work, for a load balancer or a person with curl."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.web.ports import Clock


@dataclass(frozen=True)
class HealthPage:
    """Asks every store; says nothing but yes or no, because anybody may look."""

    check: Callable[[datetime], Mapping[str, bool]]
    clock: Clock

    def routes(self) -> list[BaseRoute]:
        """Return GET /healthz."""
        return [Route("/healthz", self.show)]

    async def show(self, _request: Request) -> Response:
        """Return {"healthy": bool, store: bool, …}; 200 when all answer, else 503."""
        stores = await run_in_threadpool(self.check, self.clock())
        healthy = all(stores.values())
        return JSONResponse(
            {"healthy": healthy, **stores}, 200 if healthy else 503, headers={"Cache-Control": "no-store"}
        )
