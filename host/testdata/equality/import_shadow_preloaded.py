# image: a library module that the image holds is not looked for in /app
with open("/app/fractions.py", "w") as f:
    f.write("mine = True\n")
import fractions

print(hasattr(fractions, "mine"))
