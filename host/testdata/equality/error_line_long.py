values = {"a": {"b": [1, 2, 3]}}
result = values["a"]["b"][0] + values["a"]["c"][1] + \
    values["a"]["d"][2]
