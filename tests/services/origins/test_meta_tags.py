"""Only a real meta tag in the head counts: everything that visitors can write stays without effect."""

import time

import pytest

from services.origins.meta_tags import meta_contents

TAG = '<meta name="dovetail-verification" content="T0k">'


@pytest.mark.parametrize(
    "page",
    [
        f"<!doctype html><html><head>{TAG}</head><body></body></html>",
        f"<HTML><HEAD><TITLE>x</TITLE>{TAG.upper().replace('T0K', 'T0k')}</HEAD>",
        "<head><meta content='T0k' name='dovetail-verification'/></head>",
        "<head><meta name=dovetail-verification content=T0k></head>",
        '<head><META  Content=" T0k "\n NAME="DoveTail-Verification" ></head>',
        f"\ufeff<!-- hello --><head><script>if (a < b) {{}}</script><style>a>b{{}}</style>{TAG}",
        f"<!doctype html><title>No head tag</title>{TAG}<p>body",
        f'<head><link rel=x><base href="/"><noscript><p>x</p></noscript>{TAG}</head>',
        '<head><meta name="dovetail-verification" content="&#84;0k"></head>',
    ],
)
def test_the_tag_is_found(page: str) -> None:
    assert meta_contents(page, "dovetail-verification") == ["T0k"]


@pytest.mark.parametrize(
    "page",
    [
        "",
        f"<head></head><body>{TAG}</body>",
        f"<body>{TAG}</body>",
        f"<head></head>{TAG}",
        f"<head></head><head>{TAG}</head>",
        f"<p>comment by a visitor {TAG}",
        f"text {TAG}",
        f"<head><p></p>{TAG}</head>",
        f"<head><!-- {TAG} --></head>",
        f"<head><!-- {TAG}",
        f"<head><!--[if IE]>{TAG}<![endif]--></head>",
        f"<head><script>document.write('{TAG}')</script></head>",
        f"<head><script>{TAG}",
        f"<head><style>{TAG}</style></head>",
        f"<head><title>Search: {TAG}</title></head>",
        f"<head><title/>{TAG}</head>",
        f"<head><noscript>{TAG}</noscript></head>",
        f"<head><template>{TAG}</template></head>",
        f"<head><template><template></template>{TAG}</template></head>",
        '<head><link title=\'<meta name="dovetail-verification" content="T0k">\'></head>',
        '<head><meta property="dovetail-verification" content="T0k"></head>',
        '<head><meta name="other" name="dovetail-verification" content="T0k"></head>',
        '<head><meta name="dovetail-verification" content="T0k"',
        '<head>&lt;meta name="dovetail-verification" content="T0k"&gt;</head>',
    ],
)
def test_no_other_place_counts(page: str) -> None:
    assert meta_contents(page, "dovetail-verification") == []


@pytest.mark.parametrize("piece", ["<a ", "<!--", "<", "<![", "</", "<meta ", '<a b="', "<!", "<?", "&#", "<a b=c "])
def test_a_hostile_page_costs_little(piece: str) -> None:
    """64 KiB of the worst pieces are read in well under the time of one check."""
    begun = time.thread_time()
    meta_contents("<head>" + piece * (65_000 // len(piece)), "dovetail-verification")
    assert time.thread_time() - begun < 2
