"""What holds for the programs of an author that give verdicts: checkers, interactors, predicates."""

NO_VERDICT = "no verdict, and the reference's is accepted, so this is rejected"
"""How the note on a case begins that was rejected because the author's program broke on it."""
STARVED_TIMES = 6
"""The wall time of one that gets hardly any of a busy machine's processors is at most this multiple of its own seconds."""
