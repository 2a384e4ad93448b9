# One command for everything; `make` lists them. `make check` is what CI runs.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules --no-print-directory

# Tools are built once from tools/go.mod, and again when it or Go itself changes.
BIN := $(CURDIR)/.tmp/bin
TOOLS := $(BIN)/.tools-$(shell { cat tools/go.mod tools/go.sum; go version; } | cksum | tr ' ' '-')
export PATH := $(BIN):$(PATH)

# How long each fuzz target runs.
FUZZTIME ?= 10s
# Arguments for the table of benchmarks, such as -rounds 3.
BENCHFLAGS ?=

# Every file that belongs to the project: what is committed and what would be.
FILES := git ls-files -z --cached --others --exclude-standard
# The Go files that people write.
WRITTEN := $(FILES) '*.go' | { xargs -0 grep -sLE '^// Code generated .* DO NOT EDIT\.$$' || true; }

.PHONY: help
help: ## Describe the targets
	@grep -E '^[a-z/]+:.* ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z/]+):.* ## /\1\t/' | sort | awk -F'\t' '{ printf "%-12s %s\n", $$1, $$2 }'

.PHONY: build
build: ## Build ./wigwag, one static binary
	CGO_ENABLED=0 go build -trimpath -o wigwag ./cmd/wigwag

.PHONY: dev
dev: ## Run a server for development, with a project to try
	go run ./cmd/wigwag dev

.PHONY: check
check: lint verify test bench/smoke ## Run everything that CI runs
	@echo "check: all passed"

.PHONY: test
test: ## Run all tests with the race detector
	go test -race -vet=off ./...

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (10s)
	@go test -list '^Fuzz' ./... | awk '/^Fuzz/ { names[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, names[i]; n = 0 }' | \
	while read -r package target; do \
		echo "fuzz: $$target in $$package for $(FUZZTIME)"; \
		go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "$$package" < /dev/null; \
	done

.PHONY: bench
bench: ## Measure beside the limit and other engines, on a machine that does nothing else
	cd bench && go run ./cmd/table $(BENCHFLAGS)

.PHONY: bench/smoke
bench/smoke: ## Run each benchmark once, so that they keep working
	cd bench && go vet ./... && go test -vet=off -bench . -benchtime 1x -cpu 2 ./...

.PHONY: vectors
vectors: ## Run the conformance cases of vectors/
	@names=$$(go test -list 'Vector' ./... | grep -E '^Test' || true); \
	if [ -z "$$names" ]; then echo "vectors: no test has Vector in its name" >&2; exit 1; fi
	go test -count 1 -run 'Vector' ./... | grep -v 'no test'

.PHONY: lint
lint: $(TOOLS) ## Run go vet, staticcheck and the format check
	go vet ./...
	staticcheck ./...
	@echo "gofumpt -l"
	@unformatted=$$($(WRITTEN) | xargs gofumpt -l); \
	if [ -n "$$unformatted" ]; then echo "not formatted; run make fmt:" >&2; echo "$$unformatted" >&2; exit 1; fi

.PHONY: fmt
fmt: $(TOOLS) ## Format the Go files
	$(WRITTEN) | xargs gofumpt -w

.PHONY: generate
generate: $(TOOLS) ## Write the generated files again
	go generate ./...

.PHONY: verify
verify: $(TOOLS) ## Fail where generated files or go.mod are not up to date
	@echo "go mod tidy -diff"
	@go mod tidy -diff
	@before=$$(mktemp); after=$$(mktemp); trap 'rm -f "$$before" "$$after"' EXIT; \
	sums() { $(FILES) | sort -zu | xargs -0 cksum 2>/dev/null || true; }; \
	sums > "$$before"; \
	$(MAKE) generate; \
	sums > "$$after"; \
	if ! diff "$$before" "$$after"; then echo "make generate changed the files above; commit what it wrote" >&2; exit 1; fi

$(TOOLS): tools/go.mod tools/go.sum
	@echo "tools: build into .tmp/bin"
	@mkdir -p $(BIN)
	@rm -f $(BIN)/.tools-*
	cd tools && GOBIN=$(BIN) go install tool
	@touch $@
