# make run    builds and starts Palabre with no configuration: domain localhost, data under ./data
# make check  the fast gate: format, vet, staticcheck, shape, tests on SQLite and PostgreSQL
# make test   everything that must hold, with the race detector, other people's software and the failure drills
# make fuzz   every fuzz target, TIME each (10m); PACKAGES=./xmpp/... for some
# make build  the program ./palabre

GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: build run check test format vet staticcheck unit race interop drills fuzz docs

build:
	$(GO) build -buildvcs=auto -o palabre ./cmd/palabre

run: build
	./palabre serve

check: format vet staticcheck unit

test: format vet staticcheck race drills interop

format:
	@bad=$$(gofmt -l $$($(GO) list -f '{{.Dir}}' ./...)); if [ -n "$$bad" ]; then echo "not formatted (gofmt -w):"; echo "$$bad"; exit 1; fi

vet:
	$(GO) vet ./...

staticcheck:
	$(GO) run $(STATICCHECK) ./...

# The drills are apart: they kill servers, and are not told anything by the race detector of the test.
TESTED = $(shell $(GO) list ./... | grep -v /test/drill)

unit:
	test/with-postgres $(GO) test $(TESTED)

race:
	test/with-postgres $(GO) test -race -timeout 20m $(TESTED)

# Failure drills: kill -9, power cuts, full disks, PostgreSQL alone failing. DRILLS=long takes hours.
drills:
	test/drill/run $(DRILLS)

# Other people's software against the real program.
interop:
	test/interop/run

# What a target finds is left in its package's testdata/fuzz, and is a test from then on.
TIME     ?= 10m
PACKAGES ?= ./...

fuzz:
	GO="$(GO)" test/fuzz $(TIME) $(PACKAGES)

# The documents that are made from the code.
docs:
	$(GO) test ./app -run TestConfigurationDocument -update
	$(GO) test . -run TestSpecificationsDocument -update
