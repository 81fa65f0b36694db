"""JSON: encode and decode a list of nested records."""

import json


def records(count):
    return [
        {
            "id": i,
            "name": "user %d \u00e9" % i,
            "score": i * 0.25,
            "tags": ["t%d" % (i % 7), "t%d" % (i % 11), None, i % 2 == 0],
            "address": {"street": "street %d" % (i % 97), "number": i % 50},
        }
        for i in range(count)
    ]


def run(rounds):
    data = records(600)
    size = 0
    for _ in range(rounds):
        text = json.dumps(data, sort_keys=True)
        data = json.loads(text)
        size += len(text)
    return size, sum(r["score"] for r in data)


print("json", *run(5))
