"""Durable jobs: `interface` is the port, `table` the adapter on a lease table in the same database."""
