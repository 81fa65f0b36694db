# args: -n x
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("-n", type=int)
parser.parse_args()
