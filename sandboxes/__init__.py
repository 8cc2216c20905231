"""Runs untrusted programs in boxes. `sandboxes.interface` is the port; everything else implements it."""
