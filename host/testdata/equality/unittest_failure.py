import io
import unittest


class Tests(unittest.TestCase):
    def test_wrong(self):
        self.assertEqual({"a": 1}, {"a": 2})


out = io.StringIO()
unittest.main(exit=False, testRunner=unittest.TextTestRunner(out))
print(out.getvalue().split("Ran")[0])
