"""How a review is made: which runs may be reviewed, what is suggested, and each step from opening to the saved review."""
