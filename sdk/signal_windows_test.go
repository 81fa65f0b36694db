package sdk_test

import "os"

var terminate = os.Kill
