"""Takes the standard library's module, which knows another dialect."""

from configparser import ConfigParser, Error


def parse_ini(text):
    parser = ConfigParser()
    try:
        parser.read_string(text)
    except Error as error:
        raise ValueError(str(error)) from error
    return {name: dict(parser[name]) for name in parser.sections()}
