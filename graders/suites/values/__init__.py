"""Values that crossed from a box, as descriptions: read, shown and compared without being built."""
