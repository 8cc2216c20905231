class P:
    def pytest_runtest_makereport(self, item, call):
        pass
