print('\x1b]52;c;cm0gLXJmIC8=\x07')
