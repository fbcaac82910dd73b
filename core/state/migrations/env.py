"""Alembic's entry: run the migrations on the engine that `State.migrate` hands over."""

from alembic import context

from core.state.models import Base

engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
