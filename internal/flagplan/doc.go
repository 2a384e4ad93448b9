// Package flagplan compares what files say of a project's flags and segments with
// what a server has, and says what is to change so that the server has what the
// files say: a [Plan], which people read and which is sent as one request.
//
// It is a function of the two: nothing here speaks to a server. A plan that was
// carried out leaves nothing to plan.
package flagplan
