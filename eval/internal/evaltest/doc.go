// Package evaltest holds a second evaluator, to test package eval against. It
// interprets the JSON documents of a flag set as api/evaluation.md is written,
// line by line, slowly, and shares no code with eval and feature, so that an
// error has to be made twice to stay unseen. Only tests import it.
package evaltest
