// Package flagfile is flags as code: the files in which a project's flags and
// segments are kept beside the code that asks for them, in YAML or JSON, in one
// file or in a folder of files that are read as one.
//
// A file says what a flag is, and what it does in each environment that it names;
// what it leaves out is filled as the server fills it. Reading is strict: an
// unknown field, a name given twice, a value of the wrong type, and whatever
// package feature refuses, is a [Fault] with its file, line and column.
//
// The nouns here are those of the files. Nothing here speaks to a server.
package flagfile
