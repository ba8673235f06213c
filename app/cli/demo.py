"""`dovetail demo`: something to try everything with."""

import asyncio
import fcntl
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from app.cli.options import json_option
from app.cli.output import emit
from app.settings import Settings, load_settings

if TYPE_CHECKING:
    from services.demo import Demo

_TEXT = """\
The demo is ready.

  API key       {api_key}
  token         {token}
  tenant        {tenant} (demo)
  installation  {installation_id} (Demo site)
  base URL      {base_url}

Four things to try:

  1. curl -H 'X-API-Key: {api_key}' '{base_url}/integrations/v1/people?per_page=5'
  2. open {base_url}/graphql in a browser, and paste the token
  3. open {base_url}/docs, which has every request and answer
  4. {command} people list --tenant demo
"""


@click.command()
@json_option
def demo() -> None:
    """Make a tenant with an active installation, a key and people; safe to run again and beside a server."""
    members = run_demo(load_settings())
    emit(members, demo_text(members))


def run_demo(settings: Settings) -> dict[str, str]:
    """Migrate, make the demo, and return how to use it (the members of services.demo.Demo)."""
    import msgspec

    from app.cli.migrate import load_built_in_definitions, run_migrations, waiting_migrations
    from app.cli.sessions import opened, os_user
    from services.demo import demo_settings, make_demo

    async def make() -> "Demo":
        async with opened(demo_settings(settings)) as runtime:
            return await make_demo(runtime, os_user())

    if waiting_migrations(settings):
        run_migrations(settings)
    load_built_in_definitions(settings)
    with _alone(settings):
        return msgspec.structs.asdict(asyncio.run(make()))


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One demo at a time in a home folder: two at once would each make an installation."""
    settings.home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(settings.home / "demo.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def demo_text(members: dict[str, str]) -> str:
    """How to use the demo, for a person."""
    return _TEXT.format(**members, command=_command())


def _command() -> str:
    """`dovetail` as it can be typed in this folder: by its path where no shell would find it."""
    if shutil.which("dovetail"):
        return "dovetail"
    own, here = Path(sys.executable).with_name("dovetail"), Path.cwd()
    return shlex.quote(str(own.relative_to(here) if own.is_relative_to(here) else own))
