// Package feature holds the nouns of Wigwag: flags, variants, rules, conditions,
// splits, segments, the flag set they form, the evaluation context that is asked
// about, and the resolution details that are answered. Names follow the
// OpenFeature glossary.
//
// The package does no I/O: it imports nothing that reaches a file, a socket, a
// clock or a log. All values are meant to be built once and then only read; a
// value that was handed to another package must not be changed afterwards.
package feature
