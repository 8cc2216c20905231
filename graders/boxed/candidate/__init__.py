"""The candidate: the submission's side of the connection to the tests (graders/boxed/rpc)."""
