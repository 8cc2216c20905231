"""What runs inside the box: the drivers that the host talks to. Imports the standard library and the image's tools only."""
