exec("a = 1\ndef f(): return a, __name__\n")
print(f(), eval("a + 1"), compile("b = 2", "x", "exec").co_filename)
import runpy

print(runpy.run_path("/app/helper.py")["value"])
