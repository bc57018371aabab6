# make check does what CI does.
.PHONY: check test race lint fuzz chaos examples docs model

check:
	bash .ci/run

test:
	go test ./...

race:
	go test -race -shuffle=on -count=10 -cpu=1,2,8 ./...

lint:
	bash .ci/run format vet tidy staticcheck linked docs

fuzz:
	FUZZTIME=1m bash .ci/run fuzz

chaos:
	bash .ci/chaos

examples:
	bash .ci/run examples

docs:
	bash .ci/run docs

model:
	bash .ci/run model
