// Package query is the condition that documents are asked to meet: one tree,
// three spellings, one meaning.
//
// A [Filter] comes from the condition builder's tree, from a MongoDB-style
// filter or from text. The constructors ([And], [Eq], [In], …) bring all three
// to the same tree, so what follows has one form to plan for.
//
// # Meaning
//
// [Filter.Match] defines it; anything faster must agree with it.
//
//   - A path reaches values. "a.b" takes the field b of the field a. A number
//     also counts the elements of an array, from 0; and any name applied to an
//     array is applied to each element that is a map. So a path may reach
//     several values, or none.
//   - A leaf holds if some value its path reaches passes or, where that value
//     is an array, some element of it. Exists, Contains, Size and Any look at
//     the reached value only.
//   - Values of different kinds do not compare: every comparison between them
//     is false, as it is for a missing field. NaN is a kind of its own here: it
//     equals itself and is neither below nor above any number.
//   - Not is the exact complement, of missing fields too: age != 5 holds for a
//     document without age.
//
// This is MongoDB's meaning, with these exceptions:
//
//   - a = null holds only where null is stored. The null of MongoDB's filters, which
//     is a missing field too, is the list (missing, null): see [In].
//   - Maps are equal whatever the order of their fields.
//   - any takes an element that is no map for one without fields, so any (b != 1)
//     holds for [5], and $elemMatch asks for a map besides; and it looks into elements
//     that are arrays, as conditions elsewhere do.
//   - Regular expressions are RE2, and of MongoDB's options x is refused.
//
// # Reading the source
//
// filter.go has the tree and build.go its constructors. match.go is the
// meaning, path.go the walk. operators.go is the table of what a condition can
// ask of a path, and what each spelling calls it. By that table, wire.go,
// mongo.go and text.go read the three spellings, and print.go writes the third.
//
// A new operator is an Op (filter.go), a row (operators.go), a constructor
// (build.go) and a meaning (match.go). If it takes what another operator takes,
// no spelling needs more than that, nor SQL, nor the builder in JavaScript.
package query
