# args: --help
import argparse

parser = argparse.ArgumentParser(description="A tool.")
parser.add_argument("file", help="what to read")
parser.add_argument("-n", type=int, default=3)
parser.parse_args()
