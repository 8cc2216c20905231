import unittest


class Warmth(unittest.TestCase):
    def test_scale(self):
        self.assertAlmostEqual(Temperature(100).fahrenheit, 212)
        self.assertAlmostEqual(Temperature(-40).fahrenheit, -40)

    def test_order(self):
        self.assertLess(Temperature(1), Temperature(2))
        self.assertGreater(Temperature(3), Temperature(2))
        self.assertFalse(Temperature(2) < Temperature(1))
        self.assertEqual(sorted([Temperature(2), Temperature(1)])[0].fahrenheit, 33.8)

    def test_same(self):
        self.assertEqual(Temperature(5), Temperature(5))
        self.assertNotEqual(Temperature(5), Temperature(6))
