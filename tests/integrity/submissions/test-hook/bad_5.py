import pytest
@pytest.hookimpl(hookwrapper=True)
def hook(item):
    yield
