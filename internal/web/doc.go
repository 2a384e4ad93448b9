// Package web is what every HTTP surface shares: handlers that return errors,
// problem documents, one log event per request, strict reading of bodies, and
// routes whose refusals are problem documents too.
//
// Nothing here buffers an answer, and the response writers that it hands to
// handlers work with [http.ResponseController], so that streams flush and set
// deadlines as they would without it.
package web
