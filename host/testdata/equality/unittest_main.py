import unittest


class Tests(unittest.TestCase):
    def test_right(self):
        self.assertEqual(1, 1)

    @unittest.skip("not now")
    def test_skipped(self):
        pass


class Results(unittest.TextTestResult):
    pass


if __name__ == "__main__":
    import re
    import sys

    class Stream:
        def write(self, text):
            sys.stderr.write(re.sub(r"in \d+\.\d+s", "in a while", text))

        def flush(self):
            pass

    unittest.main(testRunner=unittest.TextTestRunner(stream=Stream(), verbosity=2))
