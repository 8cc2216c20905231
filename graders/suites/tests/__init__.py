"""`pytest`, `property` and `program` suites: tests that import the submission."""
