"""What Piccolo's command line and its migrations read: the engine and the apps."""

from piccolo.conf.apps import AppRegistry

from app.database import open_database
from app.database.rebuild import install
from app.database.sqlite_engine import SqliteEngine
from app.settings import load_settings

_settings = load_settings()
DB = open_database(_settings.database, _settings.database_pool_size).engine
APP_REGISTRY = AppRegistry(apps=["models.piccolo_app"])

if isinstance(DB, SqliteEngine):
    install()
