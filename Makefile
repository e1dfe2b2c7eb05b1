# make run    builds and starts Palabre with no configuration: domain localhost, data under ./data
# make demo   the same, filled with a scene for trying it; gone when it ends, or kept with DEMO=FOLDER
# make check  the fast gate: format, vet, staticcheck, shape, tests on SQLite and PostgreSQL
# make test   everything that must hold, with the race detector, other people's software and the failure drills
# make fuzz   every fuzz target, TIME each (10m); PACKAGES=./xmpp/... for some
# make build  the program ./palabre, with the web client in it
# make e2e    the web client in a real browser against the real program, with a bad network between them
# make web    the web client (web/dist), if its sources changed; needs Node 20 or later

GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: build run demo check test e2e browsers web web-check format vet staticcheck unit race interop drills fuzz docs

build: web
	$(GO) build -buildvcs=auto -o palabre ./cmd/palabre

run: build
	./palabre serve

demo: build
	./palabre demo $(if $(DEMO),-data $(DEMO))

check: web-check format vet staticcheck unit

test: web-check format vet staticcheck race drills interop browsers

# Without Node the program is built all the same, and says at its address how to get the client.
web:
	@if command -v npm >/dev/null 2>&1; then $(MAKE) --no-print-directory web/dist/index.html; else echo "no npm: the program is built without its web client"; fi

WEB_SOURCES = $(shell find web/src web/public web/tools web/index.html web/*.json web/*.mjs -type f -not -name '*.log' 2>/dev/null)

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	cd web && npm run --silent build
	@touch web/dist/index.html

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci --no-audit --no-fund --silent
	@touch web/node_modules/.package-lock.json

# Types, texts in all languages, sizes and what is kept for a start without network, and the tests that need no browser.
web-check: build
	cd web && npm run --silent check
	cd web && node tools/budget.mjs
	cd web && PALABRE=$(CURDIR)/palabre npm test --silent

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
	test/with-postgres $(GO) test -race -timeout 30m $(TESTED)

# Failure drills: kill -9, power cuts, full disks, PostgreSQL alone failing. DRILLS=long takes hours.
drills:
	test/drill/run $(DRILLS)

# Other people's software against the real program.
interop:
	test/interop/run

# The web client in real browsers against the real program, two and three at once, through a network that delays, stalls and breaks.
e2e: web
	GO="$(GO)" web/test/e2e/run

# The part of it that is asked each time: joining and talking, all that can be said, a server that takes over, groups, a group with Profanity and Gajim in it; payments between
# people, in a shop, in a group of six, and by a link alone; and the client's keys against the library's, live, and under the server's headers in a browser.
browsers: web
	GO="$(GO)" web/test/e2e/run journey.test.mjs talk.test.mjs takeover.test.mjs groups.test.mjs groupapps.test.mjs payment.test.mjs pay.test.mjs shop.test.mjs split.test.mjs
	cd web && npx vitest run --dir test/interop

# What a target finds is left in its package's testdata/fuzz, and is a test from then on.
TIME     ?= 10m
PACKAGES ?= ./...

fuzz:
	GO="$(GO)" test/fuzz $(TIME) $(PACKAGES)

# The documents that are made from the code.
docs:
	$(GO) test ./app -run TestConfigurationDocument -update
	$(GO) test . -run TestSpecificationsDocument -update
