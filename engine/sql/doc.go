// Package sql runs SQL statements on an engine.DB. SQL.md describes the
// language.
//
// [Parse] reads a statement into a tree (parse.go and its neighbours), which
// may be kept and run again. [Statement.Run] binds the tree to a DB and to
// parameters (bind.go): names become paths, parameters values, and a condition
// on one path a leaf of a query.Filter, by the same constructors that text and
// MongoDB-style filters use, so that the engine can answer it from an index.
//
// What the engine has no way for is evaluated one row at a time (eval.go,
// select.go). That executor is complete by itself: run without the help of the
// engine it is the definition of what a statement answers, and builds with the
// tag invariants compare every SELECT with it.
package sql
