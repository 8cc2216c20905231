"""Lets the database find the place of the match by trying numbers, and forgets to say where to stop."""

import sqlite3

QUERY = """
WITH RECURSIVE place(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM place)
SELECT DISTINCT id FROM users, place WHERE substr(lower(name), n, length(?1)) = lower(?1)
"""


def find_users(rows, part):
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE users (id INTEGER, name TEXT)")
    connection.executemany("INSERT INTO users VALUES (?, ?)", rows)
    return [row[0] for row in connection.execute(QUERY, (part,))]
