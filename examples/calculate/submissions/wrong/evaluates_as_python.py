"""Wrong and insecure: runs what strangers type."""


def calculate(text):
    try:
        return eval(text, {"__builtins__": {}})
    except ZeroDivisionError:
        raise
    except Exception as error:
        raise ValueError(str(error)) from error
