def save(rows):
    with open('out.csv', 'w') as file:
        file.write(rows)
