"""What every sandbox promises, as checks that run against any of them."""
