import sys
def log(text):
    print(f'{sys._getframe().f_back.f_code.co_name}: {text}')
