import helper


def call():
    return helper.fail(1)


call()
