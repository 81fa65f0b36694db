# Everything a developer does here. Without just, read the commands and type them.

tools := justfile_directory() / "bin"

# What CI runs, all of it.
check:
    bash .ci/run

# All tests, as the README says.
test:
    go test -timeout 30m ./...

# All tests with the race detector.
race:
    go test -race -short -timeout 30m ./...

# The programs that try to get out or to get too much.
escape:
    go test ./host/... -run 'Escape|Hostile|Limit'

# The linters and their architecture rules.
lint:
    {{tools}}/golangci-lint run

# Rewrite the source in its one format.
fmt:
    {{tools}}/gofumpt -w $(git ls-files '*.go' ':!*.pb.go' ':!*.connect.go')

# Each fuzz target for a while: just fuzz 1m
fuzz time="10s":
    bash .ci/fuzz {{time}}

# Accept what the command line now prints as what it should print.
golden:
    SANDBOXD_UPDATE_GOLDEN=1 go test ./cmd/sandboxd -run TestScripts

# Build Python from source and use it: three times as fast as the prebuilt one.
python:
    go run ./cmd/sandboxd runtimes build python

# All that passes of CPython's own tests, on a Python built for it: ten minutes.
cpython-tests: build
    home=$(.ci/python) && SANDBOXD_CPYTHON_ALL=1 SANDBOXD_CPYTHON_TESTS=$home/tests \
        SANDBOXD_CACHE_DIR=$home/cache go test ./host -run CPythonsOwn -timeout 60m

# 20 000 mixed calls, good, failing and hostile: nothing may grow or go wrong.
mixed:
    SANDBOXD_LONG_TESTS=1 go test ./host -run MixedCalls -v -timeout 60m

# Hostile, good and failing calls for half an hour: nothing may leak. just soak 2m
soak time="30m":
    SANDBOXD_SOAK={{time}} go test ./host -run '^TestSoak$' -count=1 -v -timeout 24h

# Fifty agents call over HTTP for ten minutes: memory stays flat. just soak-mcp 1m
soak-mcp time="10m": build
    bin/sandboxd bench mcp --duration {{time}}

# Measure sandboxd side by side with its peers.
bench *flags:
    cd bench && go run . {{flags}}

# Write the pages of what programs can import, from what runs. For both builds of Python:
# once without the built one, and once with it (SANDBOXD_CACHE_DIR=...).
capabilities packages=(cache_directory() / "sandboxd-ci" / "packages"):
    SANDBOXD_PACKAGES_TESTS={{packages}} go test ./internal/capabilities -count=1 -update

# What importing the packages that are installed costs. just bench-packages --quick
bench-packages *flags: build
    bin/sandboxd bench packages {{flags}}

# One static binary, in bin.
build:
    CGO_ENABLED=0 go build -trimpath -o bin/sandboxd ./cmd/sandboxd

# Check the protocol and generate its code.
proto: tools
    PATH={{tools}}:$PATH buf lint
    PATH={{tools}}:$PATH buf breaking --against '.git#branch=main'
    PATH={{tools}}:$PATH buf generate
    go test ./internal/protodoc -count=1 -update

# Install the pinned tools into bin.
tools:
    bash .ci/tools
