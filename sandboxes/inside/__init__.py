"""The programs inside the box, baked into the image as source. On the host only their constants are used."""
