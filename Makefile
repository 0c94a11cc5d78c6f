# `make` alone runs the tests and the linters. Everything made goes to bin/ and .tmp/; nothing is installed elsewhere but in
# the ordinary caches of Go, pip and Maven.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules --warn-undefined-variables

# Arrow's C data interface inside duckdb-go is behind this tag.
TAGS := duckdb_arrow
GO := go
TMP := $(CURDIR)/.tmp
GOBIN := $(TMP)/bin
VENV := $(TMP)/venv
STAMPS := $(TMP)/stamps
# Where Maven keeps what it downloads; empty = its own default.
MAVEN_REPO ?=
MAVEN := mvn --quiet --batch-mode $(if $(MAVEN_REPO),-Dmaven.repo.local=$(MAVEN_REPO))

GOLANGCI_LINT_VERSION := v2.15.0
PROTOC_GEN_GO_VERSION := v1.36.12
PROTOC_GEN_GO_GRPC_VERSION := v1.6.2
# Pinned by integration/tools/etcd/go.mod; integration/etcdtest names the same.
ETCD_VERSION := v3.7.3
# Pinned by integration/tools/kubernetes and integration/tools/helm; integration/kubetest names the same.
KUBERNETES_VERSION := v1.36.3
HELM_VERSION := v3.22.0

# What `make bench` measures: `make bench BENCH_FLAGS='-large 10 -v'`; -help lists all.
BENCH_FLAGS ?=
# The scale factor of `make test-tpch`.
SCALE ?= 1
# How many queries `make soak` runs.
SOAK ?= 50000

# Packages that link DuckDB (slow to build with the race detector), the suites over real processes, and all the rest.
SUITES := ./integration/badinput/... ./integration/compat/... ./integration/deploy/... ./integration/fleet/... ./integration/load/... ./integration/soak/... ./integration/tpch/...

.PHONY: all
all: test lint

.PHONY: help
help: ## say what each target does
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  %-18s %s\n", $$1, $$2}'

.PHONY: build
build: need-c ## build bin/arbalest
	$(GO) build -tags $(TAGS) -o bin/arbalest ./cmd/arbalest

.PHONY: build-static
build-static: need-c ## build bin/arbalest-static, which needs no library of the system's: what deploy/docker/Dockerfile ships; Linux with glibc's static libraries
	CGO_ENABLED=1 $(GO) build -trimpath -tags $(TAGS),netgo,osusergo -ldflags '-s -w -linkmode external -extldflags -static' -o bin/arbalest-static ./cmd/arbalest
	@if ldd bin/arbalest-static >/dev/null 2>&1; then echo "bin/arbalest-static is not static"; exit 1; fi

.PHONY: demo
demo: build tools-python ## two workers, TPC-H at scale 1, 22 queries by Flight SQL, each checked
	$(GO) run ./integration/demo

.PHONY: test
test: build tools test-unit test-engine test-oracle test-suites test-chaos ## every suite at its fixed sample (what CI runs)

.PHONY: test-unit
test-unit: tools-etcd ## packages without the engine, with the race detector
	list=$$(scripts/packages.sh pure)
	$(GO) test -race -timeout 5m $$list

.PHONY: test-engine
test-engine: need-c ## packages that link DuckDB
	list=$$(scripts/packages.sh engine)
	$(GO) test -tags $(TAGS) -timeout 15m -p 2 $$list

# The differential suite and the logic tests, in one process with real engines and Flight SQL.
ORACLE := $(GO) test -tags $(TAGS) -count=1

.PHONY: test-oracle
test-oracle: need-c tools-python ## random and TPC-H queries and the logic tests against one DuckDB, at the fixed sample
	$(ORACLE) -timeout 20m ./integration/oracle/...
	ARBALEST_LOGIC=sample $(ORACLE) -timeout 20m ./integration/logic/...

.PHONY: test-logic
test-logic: need-c ## all logic tests at every size of cluster
	$(ORACLE) -timeout 30m -v ./integration/logic/...

.PHONY: fuzz
fuzz: need-c test-matrix ## random queries against one DuckDB: ARBALEST_FUZZ_QUERIES=20000 or ARBALEST_FUZZ_TIME=2h, ARBALEST_FUZZ_SEED
	export ARBALEST_FUZZ_QUERIES=$${ARBALEST_FUZZ_QUERIES:-20000} ARBALEST_FUZZ_SEED=$${ARBALEST_FUZZ_SEED:-$$(date +%s)}
	$(ORACLE) -timeout 0 -v -run TestRandomQueries ./integration/oracle

# How long make fuzz-flight runs.
FUZZ_TIME ?= 30m

.PHONY: fuzz-flight
fuzz-flight: need-c ## every entry point of coordinator and worker, with messages that are nearly right and with noise: FUZZ_TIME=30m, ARBALEST_FUZZ_SEED
	fuzz="$(GO) test -tags $(TAGS) -count=1 -timeout 0 ./flightserver"
	# The first covers all entry points; the others mutate by coverage. Each has all of the time, and spends it on new inputs: to make
	# each input that covers something new as small as can be would take a minute each, and most of the time.
	ARBALEST_FUZZ_FLIGHT=$(FUZZ_TIME) $$fuzz -v -run 'TestFuzzFlight$$' & calls=$$!
	$$fuzz -run '^$$' -fuzz 'FuzzRows$$' -fuzztime $(FUZZ_TIME) -fuzzminimizetime 1s -parallel 1 & rows=$$!
	$$fuzz -run '^$$' -fuzz 'FuzzBytes$$' -fuzztime $(FUZZ_TIME) -fuzzminimizetime 1s -parallel 1 & bytes=$$!
	failed=0; for one in $$calls $$rows $$bytes; do wait $$one || failed=1; done; exit $$failed

.PHONY: test-matrix
test-matrix: need-c tools-python ## TPC-H under every configuration of workers, partitions, strategies and spilling, telling each query
	ARBALEST_TPCH_SCALE=$${ARBALEST_TPCH_SCALE:-0.1} ARBALEST_FUZZ_MATRIX=all $(ORACLE) -timeout 0 -v -run TestTPCH ./integration/oracle

.PHONY: test-planted
test-planted: need-c ## known wrong answers, planted one by one: the named logic test and the random queries must find each
	ARBALEST_PLANTED=$${ARBALEST_PLANTED:-.} $(GO) test -count=1 -timeout 0 -v -run TestPlanted ./integration/oracle/planted

.PHONY: test-suites
test-suites: build tools ## the system through its client door: real processes, real clients
	$(GO) test -count=1 -timeout 25m -p 1 $(SUITES)

.PHONY: test-tpch
test-tpch: build tools-python ## the 22 TPC-H queries with 1, 2 and 3 workers, telling each; SCALE=10 for another scale
	ARBALEST_TPCH_SCALE=$(SCALE) $(GO) test -count=1 -timeout 60m -v ./integration/tpch/...

.PHONY: compat
compat: build tools tools-rust ## the tests with real clients at full size (results of 10 million rows), telling each step; writes docs/compatibility.md
	ARBALEST_COMPAT=full $(GO) test -count=1 -timeout 60m -v ./integration/compat/... -args -rewrite

.PHONY: test-chaos
test-chaos: need-network build tools-python ## a sample of what make chaos does; Linux, as root
	$(GO) test -count=1 -timeout 25m -v ./integration/chaos/...

.PHONY: chaos
chaos: need-network build tools-python ## every fault at every place, 200 killed workers, TPC-H at scale 10 in little memory; Linux, as root
	ARBALEST_CHAOS=full $(GO) test -count=1 -timeout 4h -v ./integration/chaos/...

.PHONY: test-k8s
test-k8s: build tools-python tools-etcd tools-k8s ## the Kubernetes driver, the chart and processes against a real API server; Linux, as root
	ARBALEST_KUBERNETES=1 $(GO) test -count=1 -timeout 25m -v -run 'APIServer' ./internal/cluster/kubernetes
	ARBALEST_KUBERNETES=1 $(GO) test -count=1 -timeout 25m -v ./integration/kubernetes
	ARBALEST_KUBERNETES=1 $(GO) test -count=1 -timeout 25m -v -run Kubernetes ./integration/deploy

.PHONY: test-hosts
test-hosts: need-network build tools-python ## every process on a host of its own (network namespaces); Linux, as root
	$(GO) test -count=1 -timeout 25m -v ./integration/hosts

# How often `make owners` kills a coordinator.
KILLS ?= 100

.PHONY: owners
owners: build tools-python tools-etcd ## coordinators killed KILLS times (100) under TPC-H load, others stopped meanwhile; once more with results through them
	ARBALEST_KILLS=$(KILLS) $(GO) test -tags $(TAGS) -count=1 -timeout 4h -v -run TestOwnersDie ./integration/fleet
	ARBALEST_KILLS=$(KILLS) ARBALEST_KILLS_PROXY=1 $(GO) test -tags $(TAGS) -count=1 -timeout 4h -v -run TestOwnersDie ./integration/fleet

.PHONY: soak
soak: build tools-python ## SOAK mixed queries (50000), and what every process holds meanwhile
	ARBALEST_SOAK=$(SOAK) $(GO) test -count=1 -timeout 12h -v ./integration/soak/...

.PHONY: bench
bench: build tools-python ## the figures of speed and memory, as ratios to named baselines in one run
	$(GO) run ./bench $(BENCH_FLAGS)

.PHONY: lint
lint: $(GOBIN)/golangci-lint-$(GOLANGCI_LINT_VERSION) ## formatting, vet, golangci-lint and the house rules
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "gofmt: run make fmt for"; echo "$$unformatted"; exit 1; fi
	$(GO) vet -tags $(TAGS) ./...
	(cd integration/compat/v15client && $(GO) vet ./...)
	$< run --build-tags $(TAGS) ./...
	$(GO) test ./internal/lint/...

.PHONY: fmt
fmt: ## format all Go files
	gofmt -w $$(git ls-files '*.go')

.PHONY: rewrite
rewrite: ## regenerate the golden files of data-driven tests; review the diff
	list=$$(grep -rlE 'datadriven\.(RunTest|Walk)' --include='*_test.go' . | grep -v '^./.tmp/' | xargs -r -n1 dirname | sort -u)
	for package in $$list; do $(GO) test -tags $(TAGS) -count=1 "$$package" -args -rewrite; done

.PHONY: generate
generate: $(STAMPS)/generate $(GOBIN)/protoc-gen-go-$(PROTOC_GEN_GO_VERSION) $(GOBIN)/protoc-gen-go-grpc-$(PROTOC_GEN_GO_GRPC_VERSION) ## regenerate committed code (the control protocol)
	$(TMP)/venv-generate/bin/python -m grpc_tools.protoc -I internal/protocol/pb \
		--plugin=protoc-gen-go=$(GOBIN)/protoc-gen-go-$(PROTOC_GEN_GO_VERSION) \
		--plugin=protoc-gen-go-grpc=$(GOBIN)/protoc-gen-go-grpc-$(PROTOC_GEN_GO_GRPC_VERSION) \
		--go_out=internal/protocol/pb --go_opt=paths=source_relative \
		--go-grpc_out=internal/protocol/pb --go-grpc_opt=paths=source_relative arbalest.proto

.PHONY: check-generate
check-generate: ## fail when generated code is not what make generate gives
	@before=$$(cat internal/protocol/pb/*.go | cksum)
	$(MAKE) generate
	after=$$(cat internal/protocol/pb/*.go | cksum)
	[ "$$before" = "$$after" ] || { echo "generated code was stale: commit what make generate made"; git diff --stat -- internal/protocol/pb; exit 1; }

.PHONY: clean
clean: ## remove what was built (not the made data and the tools)
	rm -rf bin integration/compat/jdbc/target integration/compat/adbcjava/target $(GOBIN)/v15client

# --- what the tests need ------------------------------------------------------------------------------------------------

.PHONY: tools
tools: tools-python tools-jdbc tools-adbcjava tools-v15 tools-etcd ## everything the tests need besides Go

.PHONY: tools-python
tools-python: $(STAMPS)/python ## a virtual environment with DuckDB, pyarrow, ADBC and the TPC-H generator

$(STAMPS)/python: integration/tools/python/requirements.txt
	@scripts/need.sh python
	python3 -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	mkdir -p $(STAMPS) && touch $@

$(STAMPS)/generate: integration/tools/python/generate.txt
	@scripts/need.sh python
	python3 -m venv --clear $(TMP)/venv-generate
	$(TMP)/venv-generate/bin/pip install --quiet --disable-pip-version-check --requirement $<
	mkdir -p $(STAMPS) && touch $@

.PHONY: tools-jdbc
tools-jdbc: $(STAMPS)/jdbc ## the Java client with Arrow's JDBC driver

$(STAMPS)/jdbc: integration/compat/jdbc/pom.xml $(wildcard integration/compat/jdbc/src/main/java/sql/arbalest/compat/*.java)
	@scripts/need.sh java
	$(MAVEN) --file $< clean package
	mkdir -p $(STAMPS) && touch $@

.PHONY: tools-adbcjava
tools-adbcjava: $(STAMPS)/adbcjava ## the Java client with arrow-adbc's driver and validation suites

$(STAMPS)/adbcjava: integration/compat/adbcjava/pom.xml $(wildcard integration/compat/adbcjava/src/main/java/sql/arbalest/compat/adbc/*.java integration/compat/adbcjava/src/main/resources/*)
	@scripts/need.sh java
	$(MAVEN) --file $< clean package
	mkdir -p $(STAMPS) && touch $@

.PHONY: tools-v15
tools-v15: ## the client over the retired module path arrow/go/v15
	cd integration/compat/v15client && $(GO) build -o $(GOBIN)/v15client .

# Not among the tools of make test: a cold build of arrow-flight takes minutes, and its column of docs/compatibility.md is measured
# by make compat only.
.PHONY: tools-rust
tools-rust: ## the client over the Rust crate arrow-flight
	@scripts/need.sh rust
	cd integration/compat/rust && cargo build --release --locked --target-dir $(TMP)/rust

.PHONY: tools-etcd
tools-etcd: $(GOBIN)/etcd-$(ETCD_VERSION) ## the etcd server that the membership's tests run

$(GOBIN)/etcd-$(ETCD_VERSION): integration/tools/etcd/go.mod
	mkdir -p $(@D)
	cd $(<D) && $(GO) build -o $@ go.etcd.io/etcd/server/v3

.PHONY: tools-k8s
tools-k8s: $(GOBIN)/kube-apiserver-$(KUBERNETES_VERSION) $(GOBIN)/kubectl-$(KUBERNETES_VERSION) tools-helm ## the Kubernetes API server (minutes to build), kubectl and Helm

.PHONY: tools-helm
tools-helm: $(GOBIN)/helm-$(HELM_VERSION) ## the Helm that renders deploy/helm

# The versions are what the server tells its clients, and the API that it serves.
$(GOBIN)/kube-apiserver-$(KUBERNETES_VERSION) $(GOBIN)/kubectl-$(KUBERNETES_VERSION): $(GOBIN)/%-$(KUBERNETES_VERSION): integration/tools/kubernetes/go.mod
	mkdir -p $(@D)
	version=k8s.io/component-base/version
	cd $(<D) && CGO_ENABLED=0 $(GO) build -o $@ -ldflags "-s -w -X $$version.gitVersion=$(KUBERNETES_VERSION) -X $$version.gitMajor=1 -X $$version.gitMinor=36" k8s.io/kubernetes/cmd/$*

$(GOBIN)/helm-$(HELM_VERSION): integration/tools/helm/go.mod
	mkdir -p $(@D)
	kubernetes=helm.sh/helm/v3/pkg/chartutil.k8sVersion
	cd $(<D) && CGO_ENABLED=0 $(GO) build -o $@ -ldflags "-s -w -X helm.sh/helm/v3/internal/version.version=$(HELM_VERSION) -X $${kubernetes}Major=1 -X $${kubernetes}Minor=36" helm.sh/helm/v3/cmd/helm

$(GOBIN)/golangci-lint-$(GOLANGCI_LINT_VERSION):
	$(call install,golangci-lint,github.com/golangci/golangci-lint/v2/cmd/golangci-lint,$(GOLANGCI_LINT_VERSION))

$(GOBIN)/protoc-gen-go-$(PROTOC_GEN_GO_VERSION):
	$(call install,protoc-gen-go,google.golang.org/protobuf/cmd/protoc-gen-go,$(PROTOC_GEN_GO_VERSION))

$(GOBIN)/protoc-gen-go-grpc-$(PROTOC_GEN_GO_GRPC_VERSION):
	$(call install,protoc-gen-go-grpc,google.golang.org/grpc/cmd/protoc-gen-go-grpc,$(PROTOC_GEN_GO_GRPC_VERSION))

# install NAME,PACKAGE,VERSION: a Go program at an exact version, kept under a name that carries it.
define install
	mkdir -p $(GOBIN)
	GOBIN=$(GOBIN) $(GO) install $(2)@$(3)
	mv $(GOBIN)/$(1) $@
endef

.PHONY: need-network
need-network:
	@scripts/need.sh network

.PHONY: need-c
need-c:
	@scripts/need.sh c
