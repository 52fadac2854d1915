# CryptexQ. `make run` starts the window, `make test` shows that it works; each installs what it needs, or says what is missing.
PROFILE ?= default

.PHONY: run build headless test check bench long fuzz clean

run: build
	./build/cryptexq --profile "$(PROFILE)"

# The window, build/cryptexq.
build:
	@sh scripts/go.sh
	@sh scripts/packages.sh window
	@sh scripts/build.sh window

# A static binary without a window, for servers and scripts: build/cryptexq-headless.
headless:
	@sh scripts/build.sh headless

# Everything that must hold before a change goes in: about 15 minutes on two cores from nothing.
test:
	@sh scripts/go.sh
	@sh scripts/packages.sh window tests
	@sh scripts/test.sh

# Formatting, vet, staticcheck, the rules of the house. Needs Go and nothing else.
check:
	@sh scripts/check.sh

# Figures, each beside what was promised: primitives, the whole path between real processes, a page of a long thread (PAGE messages).
bench: headless
	@sh scripts/bench.sh

# Hours instead of minutes: 100 kills, 500 simulated seeds, every fuzz target for FUZZTIME (a minute).
long:
	@sh scripts/go.sh
	@sh scripts/packages.sh window tests
	@KILLS=100 SEEDS=500 sh scripts/test.sh
	@sh scripts/fuzz.sh

fuzz:
	@sh scripts/fuzz.sh

clean:
	rm -rf build
