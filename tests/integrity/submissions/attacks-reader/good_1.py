print('\x1b[31mred\x1b[0m', '\x1b[2J\x1b[H', '\x1b]0;title\x07', '\a')
def page(title):
    return f'<html><script src="a.js"></script>{title}</html>'
