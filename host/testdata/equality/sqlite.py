import sqlite3

db = sqlite3.connect(":memory:")
db.execute("create table t (a integer primary key, b text)")
db.executemany("insert into t (b) values (?)", [("x",), ("y",)])
print(db.execute("select count(*), max(b) from t").fetchall(), sqlite3.sqlite_version)
print(len(db.execute("select hex(randomblob(8))").fetchone()[0]))
with sqlite3.connect("/app/db.sqlite") as f:
    f.execute("create table u (v)")
    f.execute("insert into u values (1)")
print(sqlite3.connect("/app/db.sqlite").execute("select * from u").fetchall())
db.execute("select nothing from t")
