import warnings

warnings.warn("below the program", stacklevel=2)
