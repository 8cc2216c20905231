"""Wrong and insecure: what the user types becomes part of the statement."""

import sqlite3


def find_users(rows, part):
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE users (id INTEGER, name TEXT)")
    connection.executemany("INSERT INTO users VALUES (?, ?)", rows)
    found = connection.execute(f"SELECT id FROM users WHERE name LIKE '%{part}%'").fetchall()
    return [row[0] for row in found]
