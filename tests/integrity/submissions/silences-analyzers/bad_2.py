x = eval('1')  # noqa: S307
