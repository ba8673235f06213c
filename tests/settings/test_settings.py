"""Settings: the environment over the file over the defaults, and a sentence for everything that is wrong."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.settings import PREFIX, OidcIssuer, Settings, SettingsError, load_settings

ISSUER = {"issuer": "https://login.example.org", "audience": "dovetail"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def load(home: Path, toml: str | bytes = "", /, **environ: str) -> Settings:
    """With this file in the home folder, and these variables without their prefix."""
    if toml:
        (home / "dovetail.toml").write_bytes(toml if isinstance(toml, bytes) else toml.encode())
    return load_settings({"DOVETAIL_HOME": str(home)} | {PREFIX + name.upper(): text for name, text in environ.items()})


def problem(home: Path, toml: str | bytes = "", /, **environ: str) -> str:
    with pytest.raises(SettingsError) as told:
        load(home, toml, **environ)
    return str(told.value)


# --- which one wins ---------------------------------------------------------------------------------------


def test_the_defaults_are_enough(home: Path) -> None:
    """With nothing given but a home, everything has its default, and the folder is not touched."""
    found = load(home)
    assert found == Settings(home=home)
    assert (found.url, found.keys_dir) == ("http://127.0.0.1:8000", home / "keys")
    assert found.database == f"sqlite:///{home / 'dovetail.sqlite'}"
    assert list(home.iterdir()) == []


def test_environment_over_file_over_default(home: Path) -> None:
    toml = 'host = "file"\nport = 1001\nlog_level = "debug"'
    assert load(home, toml).port == 1001
    found = load(home, toml, port="1002")
    assert (found.host, found.port, found.log_level, found.walk_pages) == ("file", 1002, "debug", 1_000)


def test_what_is_given_wins(home: Path) -> None:
    """Options of the command, where they are given; one that is not leaves the rest as it is."""
    environ = {"DOVETAIL_HOME": str(home), "DOVETAIL_PORT": "1002", "DOVETAIL_HOST": "there"}
    found = load_settings(environ, port=1003, host=None)
    assert (found.host, found.port) == ("there", 1003)


def test_the_file_lies_in_the_home_that_is_given(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "dovetail.toml").write_text("port = 1004")
    assert load_settings({"DOVETAIL_HOME": str(home)}, home=other).port == 1004


@pytest.mark.parametrize("text", ["", "  "])
@pytest.mark.parametrize("name", ["port", "host", "egress_allow", "oidc_issuers", "pepper", "database_url"])
def test_an_empty_variable_is_not_set(home: Path, name: str, text: str) -> None:
    """As `docker compose` leaves them: the file and the default stand."""
    toml = 'port = 1001\nhost = "file"\negress_allow = ["a.example"]'
    assert load(home, toml, **{name: text}) == load(home, toml)


def test_variables_of_others_are_left_alone(home: Path) -> None:
    """Those of the tests and of the measurements, and those of other programs."""
    environ = {
        "DOVETAIL_HOME": str(home),
        "DOVETAIL_TEST_X": "1",
        "DOVETAIL_BENCH_X": "1",
        "PORT": "1",
        "dovetail_port": "1",
    }
    assert load_settings(environ) == Settings(home=home)


# --- what is wrong --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["PROT", "PORT_", "", "HOME_DIR", "DATABASE"])
def test_an_unknown_variable_is_named(home: Path, name: str) -> None:
    """A mistyped setting is not silently the default."""
    with pytest.raises(SettingsError, match=f"DOVETAIL_{name} is not a setting"):
        load_settings({"DOVETAIL_HOME": str(home), f"DOVETAIL_{name}": "1"})


def test_an_unknown_name_in_the_file_is_named(home: Path) -> None:
    told = problem(home, "prot = 1")
    assert str(home / "dovetail.toml") in told and "prot" in told


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("port", "http"),
        ("port", "0"),
        ("port", "65536"),
        ("port", "80.5"),
        ("legacy_paths", "perhaps"),
        ("log_level", "loud"),
        ("graphql_documents", "some"),
        ("max_body_bytes", "1"),
        ("orcid_concurrency", "25"),
        ("walk_pages", "-1"),
        ("oidc_issuers", "{}"),
        ("oidc_issuers", '[{"issuer": "x"}]'),
        ("oidc_issuers", "[1]"),
    ],
)
def test_a_value_against_its_rule_names_the_variable(home: Path, name: str, text: str) -> None:
    assert problem(home, **{name: text}).startswith(f"DOVETAIL_{name.upper()}: ")


@pytest.mark.parametrize(
    ("toml", "name"),
    [
        ('port = "http"', "port"),
        ("port = 0", "port"),
        ("port = [1]", "port"),
        ("host = 5", "host"),
        ("host = 2020-01-01", "host"),
        ('egress_allow = "a.example"', "egress_allow"),
        ("egress_allow = [1]", "egress_allow"),
        ('log_level = "loud"', "log_level"),
        ("[port]\nnumber = 1", "port"),
        ('[[oidc_issuers]]\nissuer = "x"', "audience"),
    ],
)
def test_a_value_against_its_rule_names_the_file(home: Path, toml: str, name: str) -> None:
    told = problem(home, toml)
    assert told.startswith(f"{home / 'dovetail.toml'}: ") and name in told


def test_an_option_against_its_rule_is_named(home: Path) -> None:
    with pytest.raises(SettingsError, match=r"^port: "):
        load_settings({"DOVETAIL_HOME": str(home), "DOVETAIL_PORT": "1"}, port="http")


@pytest.mark.parametrize("toml", ["port =", "port = 1\nport = 2", "= 1", "[", b"\xff\xfe", b"host = '\x00'"])
def test_a_file_that_is_no_toml_is_named(home: Path, toml: str | bytes) -> None:
    """With the place, where there is one."""
    assert problem(home, toml).startswith(f"{home / 'dovetail.toml'}: ")


def test_a_file_that_cannot_be_read_is_named(home: Path) -> None:
    (home / "dovetail.toml").mkdir()
    assert "dovetail.toml cannot be read" in problem(home)


# --- lists ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.example", ("a.example",)),
        ("a.example, 10.0.0.0/8 ,,", ("a.example", "10.0.0.0/8")),
        ("[::1]", ("[::1]",)),
        ('["a.example", "10.0.0.0/8"]', ("a.example", "10.0.0.0/8")),
    ],
)
def test_lists_are_written_with_commas_or_as_json(home: Path, text: str, expected: tuple[str, ...]) -> None:
    assert load(home, egress_allow=text).egress_allow == expected


def test_issuers_are_a_json_list_or_tables(home: Path) -> None:
    """Both ways give the same, with the defaults of what is left out."""
    toml = "\n".join(["[[oidc_issuers]]", *(f'{name} = "{value}"' for name, value in ISSUER.items())])
    assert load(home, oidc_issuers=json.dumps([ISSUER])).oidc_issuers == (OidcIssuer(**ISSUER),)
    assert load(home, toml).oidc_issuers == (OidcIssuer(**ISSUER),)


@pytest.mark.parametrize("text", ["{", "[{]", "issuer", "\udcff"])
def test_issuers_that_are_no_json_are_told(home: Path, text: str) -> None:
    assert problem(home, oidc_issuers=text).startswith("DOVETAIL_OIDC_ISSUERS is not valid JSON")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS512", "rs256", "RS265", ""])
def test_an_issuer_signs_with_known_asymmetric_algorithms(home: Path, algorithm: str) -> None:
    """`none` and shared secrets cannot be switched on (RFC 8725 section 3.1), and a mistyped name is told."""
    assert algorithm in problem(home, oidc_issuers=json.dumps([ISSUER | {"algorithms": ["RS256", algorithm]}]))


@pytest.mark.parametrize("issuers", [[ISSUER, ISSUER | {"audience": "other"}], [ISSUER | {"issuer": "dovetail"}]])
def test_two_issuers_do_not_share_a_name(home: Path, issuers: Any) -> None:
    """The name picks the keys, so a second one would silently take the first one's place, even the built-in's."""
    assert "more than once" in problem(home, oidc_issuers=json.dumps(issuers))


# --- the rest -------------------------------------------------------------------------------------------------------


def test_a_relative_home_is_below_the_working_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file is found there, and the database's address does not depend on the folder any more."""
    monkeypatch.chdir(home)
    (home / "state").mkdir()
    (home / "state" / "dovetail.toml").write_text("port = 1005")
    found = load_settings({"DOVETAIL_HOME": "state"})
    assert (found.home, found.port, found.keys_dir) == (Path("state"), 1005, Path("state/keys"))
    assert found.database == f"sqlite:///{home / 'state' / 'dovetail.sqlite'}"


def test_a_home_that_is_not_there_yet_has_no_file(home: Path) -> None:
    assert load_settings({"DOVETAIL_HOME": str(home / "new")}).home == home / "new"
    assert not (home / "new").exists()


def test_the_address_has_no_slash_at_its_end(home: Path) -> None:
    assert load(home, base_url="https://d.example/").url == "https://d.example"
    assert load(home, port="9").url == "http://127.0.0.1:9"


def test_every_setting_has_a_word_for_people() -> None:
    """The table of the documentation is made of these sentences."""
    described = msgspec.inspect.type_info(Settings)
    assert isinstance(described, msgspec.inspect.StructType)
    for field in described.fields:
        found = getattr(field.type, "extra_json_schema", None) or {}
        assert found.get("description", "").endswith((".", "`.", "home folder.")), field.name


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.sampled_from(sorted(Settings.__struct_fields__)), st.text(max_size=30))
def test_any_text_in_any_variable_is_a_setting_or_a_sentence(name: str, text: str) -> None:
    """Never another exception: the environment is written by people."""
    try:
        load_settings({PREFIX + name.upper(): text.replace("\x00", "")})
    except SettingsError as told:
        assert PREFIX + name.upper() in str(told) or "issuer" in str(told)
