"""Objects: method calls, attributes, generators and exceptions."""


class Account:
    def __init__(self, number):
        self.number = number
        self.balance = 0

    def deposit(self, amount):
        self.balance += amount

    def withdraw(self, amount):
        if amount > self.balance:
            raise ValueError(amount)
        self.balance -= amount


def amounts(count):
    state = 99
    for _ in range(count):
        state = (state * 69621) % 2147483647
        yield state % 200 - 100


def run(count):
    accounts = [Account(n) for n in range(50)]
    refused = 0
    for i, amount in enumerate(amounts(count)):
        account = accounts[i % len(accounts)]
        try:
            if amount >= 0:
                account.deposit(amount)
            else:
                account.withdraw(-amount)
        except ValueError:
            refused += 1
    return refused, sum(a.balance * a.number for a in accounts)


print("classes", *run(55_000))
