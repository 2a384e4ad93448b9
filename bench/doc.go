// Package bench measures Wigwag beside the least that the same work can cost and
// beside other engines, in one run on one machine. README.md says how to read
// the figures; all of the package is in its tests.
package bench
