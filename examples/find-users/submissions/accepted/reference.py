import sqlite3


def find_users(rows, part):
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE users (id INTEGER, name TEXT)")
        database.executemany("INSERT INTO users VALUES (?, ?)", rows)
        # SQLite's lower() changes A-Z only, which is what was asked for.
        found = database.execute("SELECT id FROM users WHERE instr(lower(name), lower(?)) OR ? = ''", (part, part))
        return [id for (id,) in found]
