# Everything a developer does here. Without just, read the commands and type them.

tools := justfile_directory() / "bin"

# What CI runs, all of it.
check:
    bash .ci/run

# All tests, as the README says.
test:
    go test ./...

# All tests with the race detector.
race:
    go test -race -short ./...

# The programs that try to get out or to get too much.
escape:
    go test ./host/... -run 'Escape|Hostile|Limit'

# The linters and their architecture rules.
lint:
    {{tools}}/golangci-lint run

# Rewrite the source in its one format.
fmt:
    {{tools}}/gofumpt -w $(git ls-files '*.go')

# Each fuzz target for a while: just fuzz 1m
fuzz time="10s":
    bash .ci/fuzz {{time}}

# Accept what the command line now prints as what it should print.
golden:
    SANDBOXD_UPDATE_GOLDEN=1 go test ./cmd/sandboxd -run TestScripts

# Measure sandboxd side by side with its peers.
bench *flags:
    cd bench && go run . {{flags}}

# One static binary, in bin.
build:
    CGO_ENABLED=0 go build -trimpath -o bin/sandboxd ./cmd/sandboxd

# Install the pinned linter and formatter into bin.
tools:
    bash .ci/tools
