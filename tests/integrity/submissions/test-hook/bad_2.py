pytest_plugins = ['solution']
