"""In the form of ClassEval: unittest's classes, beside which the submission is expected. Nothing imports it."""

import unittest


class Values(unittest.TestCase):
    def test_one(self):
        self.assertEqual(median([0.125]), 0.125)

    def test_even(self):
        self.assertAlmostEqual(median([29, 1.5, 100, 26.5]), 27.75)

    def test_negative(self):
        self.assertEqual(median([-1, -10, -100, -4]), -7)

    def test_duplicates(self):
        self.assertEqual(median([28, 3, 28, 28, 3, 3, 28]), 28)

    def test_beyond_64_bits(self):
        self.assertEqual(median([2**70, 3, 2**71, 2**69, 5**40]), 2**70)


class Manners(unittest.TestCase):
    def setUp(self):
        self.xs = [31, 20, 11, 40]

    def test_what_it_is_given_stays_as_it_is(self):
        median(self.xs)
        self.assertListEqual(self.xs, [31, 20, 11, 40])

    def test_asked_twice(self):
        self.assertEqual([median(self.xs), median(self.xs)], [25.5, 25.5])


if __name__ == "__main__":
    unittest.main()
