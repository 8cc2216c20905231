"""Everything that is sent into a box. Each folder is for one kind of box; every box gets `shared`."""
