"""Right, but builds the statement from what the user typed; the next column that forgets `quoted` is an injection."""

import sqlite3


def quoted(text):
    return text.replace("'", "''")


def find_users(rows, part):
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE users (id INTEGER, name TEXT)")
    connection.executemany("INSERT INTO users VALUES (?, ?)", rows)
    if not part:
        query = "SELECT id FROM users"
    else:
        query = f"SELECT id FROM users WHERE instr(lower(name), lower('{quoted(part)}')) > 0"
    return [row[0] for row in connection.execute(query)]
