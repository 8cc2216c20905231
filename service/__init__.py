"""The service: HTTP API, reviewer's pages, storage, durable jobs, worker, command line. Knows everything below it."""
