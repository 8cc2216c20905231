import sqlite3


def find_users(rows, part):
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE users (id INTEGER, name TEXT)")
    connection.executemany("INSERT INTO users VALUES (?, ?)", rows)
    found = connection.execute("SELECT id FROM users WHERE name LIKE ?", (f"%{part}%",)).fetchall()
    connection.close()
    return [row[0] for row in found]
