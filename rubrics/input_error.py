"""InputError: something that a user wrote is not what was expected."""


class InputError(ValueError):
    """Something that a user wrote is not what was expected.

    Args:
        field: its place: a path such as `decisions.2.level`, or `file:line`.
        expected: what would have been right there.
    """

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field
        self.expected = expected
