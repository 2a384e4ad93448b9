package httpapi

import "github.com/wigwag/wigwag/internal/auth"

// Needs returns what an operation of the contract needs: the least scope, and
// whether tokens that are limited to some projects may call it although its path
// names none.
func Needs(operationID string) (scope auth.Scope, limited bool) {
	o := operations[operationID]
	return o.needs, o.limited
}
