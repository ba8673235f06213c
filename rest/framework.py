"""The framework under each surface, with what its structs need and nothing else."""

from litestar import Litestar
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin


class Surface(Litestar):
    """Litestar, whose structs are msgspec's.

    Litestar's own choice adds pydantic and attrs wherever something else has installed them: eight megabytes and a
    tenth of the start, for types that no route here has.
    """

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]
