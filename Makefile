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
# Some 15 minutes; nothing else should run meanwhile, and the load is printed with each figure.
bench: headless
	@sh scripts/bench.sh

# Hours instead of minutes, two to three on two cores: what `make test` does with 100 kills and 500 simulated seeds, and no test cut
# short; then every fuzz target for FUZZTIME (a minute). A failure of the first does not hide those of the second.
long:
	@sh scripts/go.sh
	@sh scripts/packages.sh window tests
	@bad=0; CRYPTEXQ_LONG=1 KILLS=$${KILLS:-100} SEEDS=$${SEEDS:-500} sh scripts/test.sh || bad=1; sh scripts/fuzz.sh || bad=1; exit $$bad

fuzz:
	@sh scripts/fuzz.sh

clean:
	rm -rf build
