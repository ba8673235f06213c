"""The console's files: what is ours is in memory, what is the vendor's is read when it is asked for."""

import hashlib
from pathlib import Path

import pytest

from app.assets import NOT_FETCHED, OWN, PAGE, PREFIX, VENDOR, answer, load_assets


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder, names in (("assets", VENDOR), ("graphiql", (*OWN, "index.html"))):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_text(f'{name} "{PREFIX}assets/explorer.js"')
    return tmp_path


def test_a_vendor_file_goes_out_as_it_is_and_is_not_kept(root: Path) -> None:
    """Body and hash are the file's; the process holds its path."""
    found = load_assets(root)
    for name in VENDOR:
        file, asset = root / "assets" / name, found[f"{PREFIX}assets/{name}"]
        assert asset.content == file
        status, headers, body = answer(f"{PREFIX}assets/{name}", asset)
        assert (status, body) == (200, file.read_bytes())
        assert headers["ETag"] == f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def test_what_names_a_vendor_file_names_its_hash(root: Path) -> None:
    """The page and our own files carry the version under which a browser may keep it for ever."""
    found = load_assets(root)
    path = f"{PREFIX}assets/explorer.js"
    version = found[path].version
    for name in (PAGE, *(PREFIX + own for own in OWN)):
        assert f'"{path}?v={version}"'.encode() in found[name].body
    assert "immutable" in answer(path, found[path], version=version)[1]["Cache-Control"]
    assert answer(path, found[path], if_none_match=f'"{version}"')[::2] == (304, b"")


def test_without_the_vendor_files_the_page_says_what_to_run(root: Path) -> None:
    """One file that is missing is enough."""
    (root / "assets" / VENDOR[0]).unlink()
    found = load_assets(root)
    assert [(path, asset.body.decode()) for path, asset in found.items()] == [(PAGE, NOT_FETCHED)]
