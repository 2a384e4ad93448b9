// Package gen is what oapi-codegen makes of api/openapi.yaml: the types of the
// management API, the interface that a server of it implements, and a client.
// Documents that Go already has a type for (flags, segments, positions) are
// aliases of that type. It holds the contract itself too, for the server to hand out.
// Change the contract, then run go generate.
package gen

//go:generate go tool -modfile=../../tools/go.mod oapi-codegen -config openapi.cfg.yaml ../../api/openapi.yaml
//go:generate sh -c "sed -E -e '/^ *x-(go-|omitzero)/d' -e 's/, x-(go-[a-z-]+|omitzero): [^,{} ]+//g' ../../api/openapi.yaml > openapi.yaml"
