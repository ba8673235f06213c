"""What libraries log in the standard way (uvicorn, asyncio, aiohttp) leaves as the server's own JSON lines."""

import logging

from app.logs import LEVELS


class _Structured(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        import structlog

        try:
            level = max((known for known in LEVELS.values() if known <= record.levelno), default=LEVELS["debug"])
            text = record.getMessage()
            structlog.get_logger().log(level, text, logger=record.name, exc_info=record.exc_info or None)
        except Exception:  # noqa: BLE001 - a line that cannot be logged must not end what was going on
            self.handleError(record)


def structure_logs(level: str) -> None:
    """To be called once, by the server."""
    logging.basicConfig(level=LEVELS[level], handlers=[_Structured()], force=True)
