import os
import random
import secrets
import uuid

random.seed(42)
print(random.random(), random.randint(1, 100), random.choice("abc"), random.gauss(0, 1))
print(random.Random(7).random(), random.Random("text").random())
state = random.getstate()
a = random.random()
random.setstate(state)
print(a == random.random())
random.seed()
print(random.random() != random.random(), len(os.urandom(16)), len(secrets.token_hex(8)), uuid.uuid4().version)
print(uuid.uuid5(uuid.NAMESPACE_DNS, "example.org"))
