"""All that is sent into a box. A folder is what one kind of box gets: `shared` goes into each."""
