"""What the pages show exists: JSON parses, commands and options are the command's, settings are settings."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from app.cli.root import dovetail
from app.errors import REGISTRY
from app.settings import PREFIX, Settings
from graph.schema import build_schema, core
from tests.docs.pages import Block, blocks, code_words, name_of, pages, prose, text_of

_SETTING = re.compile(r"\bDOVETAIL_[A-Z0-9_]+\b")
_SETTINGS = {f"{PREFIX}{name.upper()}" for name in Settings.__struct_fields__}
#: Where a shell expects a command: at a line's start, behind `$(`, behind a variable that is set for it.
_COMMAND = re.compile(r"(?:^\s*|\$\(|[A-Z_]+=\S+ )(dovetail(?: [^`|;&)<>]+)?)")
_EVERYWHERE = {"--help", "--version"}
_MUTATION = re.compile(r"(?:mutation is|use) (`[^.]+)\.")


def _blocks(language: str) -> list[Block]:
    return [block for page in pages() for block in blocks(page) if block.language == language]


def _id(block: Block) -> str:
    return f"{name_of(block.page)}:{block.body[:30]!r}"


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_blocks_say_their_language(page: Path) -> None:
    """A block without a language is not checked by any test, and not coloured for any reader."""
    assert all(block.language for block in blocks(page))


@pytest.mark.parametrize("block", _blocks("json"), ids=_id)
def test_json_parses(block: Block) -> None:
    """A reader copies an example whole; it has to be JSON."""
    msgspec.json.decode(block.body)


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_settings_exist(page: Path) -> None:
    """Every DOVETAIL_ word is a setting of the server."""
    found = {word for word in _SETTING.findall(text_of(page)) if not word.startswith(f"{PREFIX}TEST_")}
    assert found <= _SETTINGS


def _shell_lines(page: Path) -> Iterator[str]:
    for block in blocks(page):
        if block.language == "sh":
            yield from re.sub(r"\\\n\s*", "", block.body).splitlines()
    for word in code_words(page):
        if word.startswith("dovetail "):
            yield word


def _invocations(page: Path) -> Iterator[list[str]]:
    """Each call of the command on a page, as its words."""
    for line in _shell_lines(page):
        for call in _COMMAND.findall(line.partition(" #")[0]):
            yield shlex.split(call)[1:]


def _refused(words: list[str]) -> str | None:
    """Why the command line does not know these words; None where it does."""
    command: click.Command = dovetail
    context = click.Context(dovetail)
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-") and rest[0] != "…":
        found = command.get_command(context, rest[0])
        if found is None:
            return f"there is no command {rest[0]}"
        command, rest = found, rest[1:]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    unknown = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known | _EVERYWHERE]
    return f"{command.name} has no option {unknown[0]}" if unknown else None


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_commands_exist(page: Path) -> None:
    """Every `dovetail …` on a page, in prose or in a block, is a command with options that it has."""
    for words in _invocations(page):
        if words and words[0] != "…":
            assert _refused(words) is None, f"dovetail {' '.join(words)}: {_refused(words)}"


def test_every_command_is_described() -> None:
    """The page of the command names each of them."""
    (page,) = (page for page in pages() if page.name == "command.md")
    text = text_of(page)
    context = click.Context(dovetail)
    for name in dovetail.list_commands(context):
        command = dovetail.get_command(context, name)
        parts = command.list_commands(context) if isinstance(command, click.Group) else []
        assert all(f"dovetail {name} {part}" in text for part in parts) and f"dovetail {name}" in text, name


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_codes_in_links_exist(page: Path) -> None:
    """A link to an error page shows the code that the page is about."""
    for shown, target in re.findall(r"\[`(\w+)`\]\((?:\.\./errors/)?(\w+)\.md\)", prose(page)):
        assert shown == target
        assert shown in REGISTRY


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_mutations_exist(page: Path) -> None:
    """A mutation that a page tells the reader to use is one of the schema."""
    mutation = core(build_schema()).mutation_type
    assert mutation is not None
    for sentence in _MUTATION.findall(prose(page)):
        for name in re.findall(r"`([a-z]\w+)(?:\(\w+:\))?`", sentence):
            assert name in mutation.fields, name
