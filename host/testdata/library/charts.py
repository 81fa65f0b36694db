from xml.etree import ElementTree
from sandbox_charts import bar, histogram, line, scatter

def marks(chart, tag):
    return len(ElementTree.fromstring(chart.svg).findall(".//{http://www.w3.org/2000/svg}" + tag))

chart = bar(["Rome", "Oslo"], {"2024": [3, -5], "2025": [4, 0]}, title="<Visits & more>", ylabel="n")
assert marks(chart, "title") == 4 and "&lt;Visits &amp; more&gt;" in chart.svg
assert chart.save("bar.svg").read_text() == chart.svg == chart._repr_svg_()
assert marks(bar(["one"], [0]), "title") == 1
assert marks(line({"a": [1, 2], "b": [2, 9]}, x=["Q1", "Q2"]), "polyline") == 2
assert marks(line([1e9, 2e9, 3e9], x=[1, 2, 40], xlabel="t"), "polyline") == 1
assert marks(scatter([1, 2, 3], [1e-7, 2e-7, 0]), "circle") == 3
assert marks(histogram([1, 2, 2, 3, 3, 3], bins=3), "title") == 3
assert marks(histogram([5] * 10), "title") == 5

def refused(do, *args, **named):
    try:
        do(*args, **named)
    except ValueError as error:
        return str(error)
    raise AssertionError(f"{do.__name__}{args} was drawn")

assert "2 labels for 1" in refused(bar, ["a", "b"], [1])
assert "no values" in refused(histogram, [])
assert "cannot be drawn" in refused(line, [1, float("nan")])
assert "differ in length" in refused(line, {"a": [1], "b": [1, 2]})
assert "at most 20000" in refused(scatter, range(20_001), range(20_001))
assert "pixels" in refused(bar, ["a"], [1], width=1e6)
