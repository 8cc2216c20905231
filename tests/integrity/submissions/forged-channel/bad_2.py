open(3, 'wb').write(b'1')
