import pytest
@pytest.fixture
def numbers():
    return [1, 2, 3]
@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    p = tmp_path_factory.mktemp("d") / "x.txt"
    p.write_text("a\nb\n")
    return p
def pytest_generate_tests(metafunc):
    if "width" in metafunc.fixturenames:
        metafunc.parametrize("width", [1, 3], ids=["one", "three"])
