# env: A=1 B=x=y EMPTY=
import os

print(sorted(os.environ.items()))
print(os.getenv("A"), os.getenv("C", "none"), os.environb[b"B"])
os.environ["NEW"] = "é"
print(os.environb[b"NEW"], os.popen.__name__)
del os.environ["A"]
print("A" in os.environ, os.path.expandvars("$B $A ${NEW}"))
