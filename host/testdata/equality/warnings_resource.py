import warnings

warnings.simplefilter("always")
open("/app/data.txt")
print("end")
