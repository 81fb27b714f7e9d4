package schema

// A keyword is one of JSON Schema.
type keyword struct {
	name    string
	id      keywordID
	content content
}

// A content is what a keyword has as its value.
type content uint8

const (
	anything content = iota
	aText
	aFlag
	aNumber
	aCount
	aSchema
	aList // of schemas
	aMap  // of schemas, by names
)

// A keywordID is what a keyword does. Those for one kind of value follow each other.
type keywordID uint8

const (
	annotates keywordID = iota
	identifies
	isOfDraft
	isAnchored
	refers
	refersDynamically
	listsVocabularies
	listsExamples
	hasDefault
	hasType
	hasEnum
	hasConst
	hasOtherItems
	hasOtherProperties

	hasMinimum
	hasExclusiveMinimum
	hasMaximum
	hasExclusiveMaximum
	hasMultipleOf

	hasMinLength
	hasMaxLength
	hasPattern
	hasFormat

	hasPrefixItems
	hasItems
	hasContains
	hasMinContains
	hasMaxContains
	hasMinItems
	hasMaxItems
	hasUniqueItems

	hasAdditionalProperties
	hasPropertyNames
	hasMinProperties
	hasMaxProperties
	hasRequired
	hasProperties
	hasPatternProperties
	hasDependentRequired

	hasDependentSchemas
	hasDependencies
	hasAllOf
	hasAnyOf
	hasOneOf
	hasNot
	hasIf
	hasThen
	hasElse
)

// keywords are those of the standard, and the two that it has kept from older drafts:
// definitions and dependencies. A table makes the wasm 3 kB smaller than a map and a
// switch over names.
var keywords = [...]keyword{
	{"$id", identifies, aText},
	{"$schema", isOfDraft, aText},
	{"$ref", refers, aText},
	{"$anchor", isAnchored, aText},
	{"$dynamicRef", refersDynamically, aText},
	{"$dynamicAnchor", isAnchored, aText},
	{"$vocabulary", listsVocabularies, anything},
	{"$comment", annotates, aText},
	{"$defs", annotates, aMap},
	{"definitions", annotates, aMap},
	{"allOf", hasAllOf, aList},
	{"anyOf", hasAnyOf, aList},
	{"oneOf", hasOneOf, aList},
	{"not", hasNot, aSchema},
	{"if", hasIf, aSchema},
	{"then", hasThen, aSchema},
	{"else", hasElse, aSchema},
	{"dependentSchemas", hasDependentSchemas, aMap},
	{"dependencies", hasDependencies, aMap},
	{"prefixItems", hasPrefixItems, aList},
	{"items", hasItems, aSchema},
	{"contains", hasContains, aSchema},
	{"properties", hasProperties, aMap},
	{"patternProperties", hasPatternProperties, aMap},
	{"additionalProperties", hasAdditionalProperties, aSchema},
	{"propertyNames", hasPropertyNames, aSchema},
	{"unevaluatedItems", hasOtherItems, aSchema},
	{"unevaluatedProperties", hasOtherProperties, aSchema},
	{"type", hasType, anything},
	{"enum", hasEnum, anything},
	{"const", hasConst, anything},
	{"multipleOf", hasMultipleOf, aNumber},
	{"maximum", hasMaximum, aNumber},
	{"exclusiveMaximum", hasExclusiveMaximum, aNumber},
	{"minimum", hasMinimum, aNumber},
	{"exclusiveMinimum", hasExclusiveMinimum, aNumber},
	{"maxLength", hasMaxLength, aCount},
	{"minLength", hasMinLength, aCount},
	{"pattern", hasPattern, aText},
	{"maxItems", hasMaxItems, aCount},
	{"minItems", hasMinItems, aCount},
	{"uniqueItems", hasUniqueItems, aFlag},
	{"maxContains", hasMaxContains, aCount},
	{"minContains", hasMinContains, aCount},
	{"maxProperties", hasMaxProperties, aCount},
	{"minProperties", hasMinProperties, aCount},
	{"required", hasRequired, anything},
	{"dependentRequired", hasDependentRequired, anything},
	{"format", hasFormat, aText},
	{"contentEncoding", annotates, aText},
	{"contentMediaType", annotates, aText},
	{"contentSchema", annotates, aSchema},
	{"title", annotates, aText},
	{"description", annotates, aText},
	{"default", hasDefault, anything},
	{"deprecated", annotates, aFlag},
	{"readOnly", annotates, aFlag},
	{"writeOnly", annotates, aFlag},
	{"examples", listsExamples, anything},
}

// keywordNamed returns the keyword of a name; nil if it is none.
//
//go:noinline
func keywordNamed(name string) *keyword {
	for i := range keywords {
		if keywords[i].name == name {
			return &keywords[i]
		}
	}
	return nil
}
