"""The promises of every sandbox, as checks that run against any of them."""
