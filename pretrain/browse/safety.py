"""Who may talk to the server, and what a page may do.

The server has no state and no secret of its own, but the records may be somebody's: no other site that the same
browser looks at shall read them. A name that is rebound to this machine (DNS rebinding) fails the check of `Host`;
a picture or script of ours in another site's page is refused by `Cross-Origin-Resource-Policy`; nothing of another
site can run in ours by `Content-Security-Policy`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("localhost", "127.0.0.1", "[::1]")
_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
)


class Guard:
    """Refuses other hosts, other methods than GET and HEAD, and requests that another site's page makes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = TrustedHostMiddleware(app, HOSTS, www_redirect=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI wants it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        if scope["method"] not in {"GET", "HEAD"}:
            refusal = PlainTextResponse("only GET", status_code=405, headers={"Allow": "GET, HEAD"})
            await refusal(scope, receive, guarded)
        elif _from_elsewhere(Headers(scope=scope)):
            await PlainTextResponse("not from another site's page", status_code=403)(scope, receive, guarded)
        else:
            await self._app(scope, receive, guarded)


def _from_elsewhere(headers: Headers) -> bool:
    """Whether another site's page loads this as a part of itself; a link that a person follows is none."""
    return headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate"
