"""A local stand-in for ORCID's API, which answers with what was recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

DATA = Path(__file__).parents[1] / "data" / "orcid"
NO_WORKS = b'{"group": []}'


class _Recorded(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = DATA / f"{self.path.strip('/')}.json"
        status, body = (200, path.read_bytes()) if path.exists() else (404, b'{"response-code": 404}')
        if not path.exists() and self.path.endswith("/works") and path.parent.exists():
            status, body = 200, NO_WORKS
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.orcid+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def orcid_server() -> Iterator[str]:
    """Its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Recorded) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
