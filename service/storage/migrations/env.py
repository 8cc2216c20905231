"""Run by Alembic inside `Database.migrate`, which hands over the connection and owns the transaction."""

from alembic import context

from service.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
