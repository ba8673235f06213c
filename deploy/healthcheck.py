"""Ask the server of this machine whether it is ready; exit 0 if so, else 1 with the reason."""

import http.client
import sys

from app.settings import load_settings

SECONDS = 5
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on, as an address to ask


def main() -> str | None:
    """The reason why it is not ready. No proxy of the environment is asked."""
    settings = load_settings()
    host = _EVERYWHERE.get(settings.host, settings.host)
    try:
        link = http.client.HTTPConnection(host, settings.port, timeout=SECONDS)
        link.request("GET", "/health/ready")
        answer = link.getresponse()
        text = answer.read(1_000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return f"{host} port {settings.port}: {error}"
    return None if answer.status == 200 else text


if __name__ == "__main__":
    sys.exit(main())
