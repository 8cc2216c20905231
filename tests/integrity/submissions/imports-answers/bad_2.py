from hidden_tests import CASES
