exec(bytes.fromhex('70617373'))
