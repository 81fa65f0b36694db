from sandbox_utils import diff, echo, grep, head, mkdir, sed, tail, wc

mkdir("logs")
with open("logs/a.log", "w") as log:
    for n in range(1000):
        log.write(f"{'ERROR' if n % 100 == 7 else 'INFO'} step {n}\n")
echo("error: none", "logs/b.log")

found = grep("ERROR", "logs/*.log")
assert len(found) == 10 and found[0] == ("logs/a.log", 8, "ERROR step 7"), found[:2]
assert grep(r"step 99\d", "logs/a.log")[-1] == ("logs/a.log", 1000, "INFO step 999")
assert grep("error", "logs", ignore_case=True)[-1] == ("logs/b.log", 1, "error: none")
assert grep("a.c", ["logs/a.log"], regex=False) == []
assert len(grep("step [0-4]$", ["logs/a.log", "logs/b.log"])) == 5

assert sed(r"(\w+)=(\d+)", r"\1: \2", "a=1\nb=2") == "a: 1\nb: 2"
assert sed("^", "> ", "a\nb") == "> a\n> b" and sed("a", "b", "aaa", count=1) == "baa"
assert head("logs/a.log", 1) == "INFO step 0\n" and head("logs/a.log").count("\n") == 10
assert tail("logs/a.log", 2) == "INFO step 998\nINFO step 999\n" and tail("logs/a.log", 0) == ""
assert wc("logs/b.log") == {"lines": 1, "words": 2, "chars": 12}

echo("one\ntwo", "1.txt")
echo("one\nthree", "2.txt")
assert diff("1.txt", "1.txt") == ""
assert diff("1.txt", "2.txt") == "--- 1.txt\n+++ 2.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n"
with open("3.txt", "w") as file:
    file.write("one\ntwo")
assert diff("1.txt", "3.txt").endswith("+two\n\\ No newline at end of file\n")
