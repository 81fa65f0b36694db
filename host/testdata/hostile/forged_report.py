# Reports an error that did not happen: a program that ends well ended well.
#
# status: ok
# exit: 0
# stdout: "done\n"
with open("/.sandboxd/report", "w") as f:
    f.write('{"type": "timeout", "message": "out of fuel", "line": 99}')
print("done")
