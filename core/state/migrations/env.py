"""Alembic's entry: run the migrations on the engine that `State.migrate` hands over."""

from alembic import context
from sqlalchemy import Connection, Engine, text

from core.state.tables.models import Base

# Any number of our own: it names the migration among the advisory locks of the database.
ADVISORY_KEY = 0x4D494752


def migrate(connection: Connection) -> None:
    with connection.begin():
        if connection.dialect.name == "postgresql":
            # Processes that start at once take turns; on SQLite the write transaction does the same.
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_KEY})
        context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
        context.run_migrations()


def main(engine: Engine) -> None:
    with engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            migrate(connection)
            return
        # A table that is rebuilt under enforced foreign keys takes the rows that refer to it along. The switch works
        # outside of transactions only, so it goes past SQLAlchemy, which would begin one.
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            migrate(connection)
        finally:
            driver.execute("PRAGMA foreign_keys=ON")


main(context.config.attributes["engine"])
