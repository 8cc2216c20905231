"""Modules that every box gets: the encoding of values, the channel, the import of a submission."""
