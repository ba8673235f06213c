"""Lists of what belongs to an installation."""

import pytest

from services.installations.reading import get_credentials, list_credentials
from tests.world import World

SECRET_COLUMNS = {"digest", "pepper_id"}


async def test_credentials_are_read_without_what_opens_them(world: World) -> None:
    """No reading operation returns a digest: it would be enough to test guesses against."""
    installation = await world.installation()
    issued = await world.key(installation["id"])
    listed = await list_credentials(world.context(), [installation["id"]])
    got = await get_credentials(world.context(), [issued.credential["id"]])
    for rows in (listed, got):
        assert len(rows) == 1
        assert SECRET_COLUMNS.isdisjoint(rows[0].keys())
        assert rows[0]["kid"] == issued.credential["kid"]


async def test_only_the_columns_of_a_list_can_be_asked_for(world: World) -> None:
    """Those that are named come, in their order; a digest is named in vain."""
    installation = await world.installation()
    await world.key(installation["id"])
    (row,) = await list_credentials(world.context(), [installation["id"]], ["kid", "installation"])
    assert tuple(row.keys()) == ("kid", "installation")
    with pytest.raises(ValueError, match="digest"):
        await list_credentials(world.context(), [installation["id"]], ["kid", "digest"])
