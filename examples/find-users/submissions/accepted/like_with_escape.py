import sqlite3


def find_users(rows, part):
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
        connection.executemany("INSERT INTO users (id, name) VALUES (?, ?)", rows)
        pattern = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        query = "SELECT id FROM users WHERE name LIKE '%' || ? || '%' ESCAPE '\\' ORDER BY id DESC"
        return [row[0] for row in connection.execute(query, (pattern,))]
    finally:
        connection.close()
