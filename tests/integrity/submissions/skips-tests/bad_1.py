import pytest
pytest.skip('n/a', allow_module_level=True)
