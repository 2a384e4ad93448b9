package gen

import _ "embed"

// Contract is api/openapi.yaml without the names that types have in this program
// (x-go-type and the like), which mean nothing to others. It must not be changed.
//
//go:embed openapi.yaml
var Contract string
