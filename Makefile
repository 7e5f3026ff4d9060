# BitBudget. `make` sets everything up and shows the whole chain on a small model; `make help` lists the rest.

SWIFT ?= swift
PREFIX ?= /usr/local
MODEL ?= nano
BITS ?= 4
BENCH ?= nano-math
PROMPT ?= Start with 51. Then (a) add 50, (b) multiply by 4, (c) subtract 7. What is the result?
ARGS ?=
MINUTES ?= 20

COMMANDS := quantize generate chat serve evaluate plan study tune load
SHARE := $(DESTDIR)$(PREFIX)/share
PACKAGES := libzstd-dev pkg-config python3
RELEASE := $(SWIFT) build -c release
# Swift as it is debugged; the kernels in C, where tests spend their time, as they run.
TESTS := $(SWIFT) test -Xcc -O2

.DEFAULT_GOAL := tour
.PHONY: tour setup swift-version build test lint docs fuzz sanitize format bench versus install clean help $(COMMANDS)

tour: setup build ## Set up, build, quantize a small model, and compare 16, 8 and 4 bits
	@MODEL="$(MODEL)" PROMPT="$(PROMPT)" bash Tools/tour.sh

setup: swift-version ## Install the system libraries that are missing (Debian, Ubuntu)
	@bash Tools/setup.sh $(PACKAGES)

swift-version:
	@bash Tools/check-swift.sh "$(SWIFT)"

build: swift-version ## Build the commands into bin/
	@$(RELEASE)
	@mkdir -p bin
	@folder=$$($(RELEASE) --show-bin-path) && \
	  for command in bitbudget $(COMMANDS); do ln -sfn "$$folder/bitbudget" "bin/$$command"; done

test: swift-version build ## Run every test
	$(TESTS) --skip CommandTests
	BITBUDGET_BIN="$(CURDIR)/bin" $(TESTS) --skip-build --filter CommandTests
	@if python3 -c 'import numpy, pytest' 2>/dev/null; then \
	  BITBUDGET_BIN="$(CURDIR)/bin" python3 -m pytest -q -p no:cacheprovider Tools/checkpoint Tools/goldens Tools/gguf Tools/harness Tools/hub Tools/serve; \
	else echo "skipped: Tools/checkpoint, Tools/goldens, Tools/gguf, Tools/harness, Tools/hub and Tools/serve, which check files and the server from Python, need python3-numpy and python3-pytest"; fi
	python3 Tools/readme/typed.py
	python3 Tools/readme/plans.py --check
	bash Tests/Consumer/run.sh
	@$(MAKE) --no-print-directory lint

lint: ## Check formatting, floors and manifests
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Packages Apps Tests
	python3 Tools/lint/test_lint.py
	python3 Tools/lint/lint.py
	python3 Tools/readme/families.py --check

docs: swift-version ## Build the documentation of the packages into out/docs (minutes)
	SWIFT="$(SWIFT)" bash Tools/docs/build.sh out/docs $(ARGS)

format: ## Format the Swift sources
	$(SWIFT) format --in-place --recursive --parallel Package.swift Packages Apps Tests

fuzz: build ## Mutate every kind of input for MINUTES and run the commands on it
	python3 Tools/faults/fuzz.py --minutes $(MINUTES) $(ARGS)

sanitize: swift-version ## Unit tests under the address, undefined-behaviour and thread sanitizers (long)
	SWIFT="$(SWIFT)" bash Tools/faults/sanitize.sh $(ARGS)

bench: build ## Measure prompt and generation speed at the shapes of Qwen3-0.6B
	@"$$($(RELEASE) --show-bin-path)/bench-engine" $(ARGS)
	$(if $(ARGS),,@"$$($(RELEASE) --show-bin-path)/bench-engine" --numerics exact --head-bits 16)

versus: build ## Compare with llama.cpp on the same shapes (builds it first; minutes); ARGS=--openvino adds OpenVINO
	python3 Tools/bench/versus/versus.py --engine "$$($(RELEASE) --show-bin-path)/bench-engine" $(ARGS)

# The installed program carries the Swift runtime, so that it runs where there is no toolchain; that takes a build of its own.
STATIC := $(RELEASE) --static-swift-stdlib --scratch-path .build/static --product bitbudget

install: swift-version ## Install bitbudget, its data, manual and completions below PREFIX
	@$(STATIC)
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(SHARE)/bitbudget" "$(SHARE)/man/man1"
	install -s -m 755 "$$($(STATIC) --show-bin-path)/bitbudget" "$(DESTDIR)$(PREFIX)/bin/"
	cp -R "$$($(STATIC) --show-bin-path)"/BitBudget_*.resources "$(SHARE)/bitbudget/"
	python3 Tools/manual.py "$(DESTDIR)$(PREFIX)/bin/bitbudget" "$(SHARE)/man/man1"
	bash Tools/completions.sh "$(DESTDIR)$(PREFIX)/bin/bitbudget" "$(SHARE)"
	@du -sh "$(DESTDIR)$(PREFIX)/bin/bitbudget"

clean: ## Remove everything that was built
	rm -rf .build bin

quantize: build ## make quantize MODEL=4b BITS=8; a model that is not here is fetched
	bin/quantize --model "$(MODEL)" --bits "$(BITS)" --pull $(ARGS)

generate: build ## make generate MODEL=nano PROMPT="..."
	bin/generate --model "$(MODEL)" --prompt "$(PROMPT)" $(ARGS)

chat: build ## make chat MODEL=nano
	bin/chat --model "$(MODEL)" $(ARGS)

serve: build ## make serve MODEL=nano ARGS="--port 8080"
	bin/serve --model "$(MODEL)" $(ARGS)

evaluate: build ## make evaluate MODEL=nano BENCH=nano-math
	bin/evaluate --model "$(MODEL)" --bench "$(BENCH)" $(ARGS)

plan: build ## make plan ARGS="--memory 8GiB --task math"
	bin/plan $(ARGS)

study: build ## make study ARGS="run studies/nano.yaml"
	bin/study $(ARGS)

load: build ## make load ARGS="--model nano --scale 0.1"
	bin/load $(ARGS)

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12
