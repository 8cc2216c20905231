"""Storage: `interface` is the port with its records, `sql` the adapter on SQLAlchemy."""
