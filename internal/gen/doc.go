// Package gen is what oapi-codegen makes of api/openapi.yaml: the types of the
// management API, the interface that a server of it implements, and a client.
// Documents that Go already has a type for (flags, segments, positions) are
// aliases of that type. Change the contract, then run go generate.
package gen

//go:generate go tool -modfile=../../tools/go.mod oapi-codegen -config openapi.cfg.yaml ../../api/openapi.yaml
