print("after a mark é", __file__)
1 / 0  # é
