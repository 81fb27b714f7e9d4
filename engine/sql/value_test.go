package sql_test

import "testing"

// TestValues: expressions have the values that SQLite gives them.
func TestValues(t *testing.T) {
	db := newDB(t)
	for text, want := range map[string]string{
		`'C:\temp'`: `'C:\\temp'`, `length('\n')`: "2", `'it''s'`: `'it\'s'`, "x'00fF'": "bytes('AP8=')", "X''": "bytes('')", "0x1F": "31", "-0x10": "-16", "0xffffffffffffffff": "-1", "1e3": "1000", ".5": "0.5", "5.": "5", "5.e1": "50",
		"7 / 2": "3", "-7 / 2": "-3", "7 / 2.0": "3.5", "7 * 1.0 / 2": "3.5", "6.0 / 2": "3", "1 / 0": "null", "1.5 / 0": "null", "1 % 0": "null", "7 % -3": "1", "-7 % 3": "-1", "7.9 % 3": "1", "9 % 2.9": "1", "5 % 0.5": "null", "-9223372036854775808 / -1": "9223372036854775808", "-9223372036854775808 % -1": "0",
		"5 & 3": "1", "5 | 3": "7", "1 << 4": "16", "1 << 64": "0", "-1 >> 70": "-1", "16 >> 2": "4", "16 << -2": "4", "16 >> -2": "64", "~5": "-6", "~-1": "0", "- ~ 5": "6", "-(-5)": "5", "- -5": "5", "+ 5": "5", "1 + 2 << 1": "6", "6 & 3 + 1": "4", "1 | 2 = 3": "true", "~NULL": "null", "1 & NULL": "null",
		"'5' + 1": "6", "'1.5x' * 2": "3", "'abc' + 1": "1", "-'3'": "-3", "' 7 ' - 1": "6", "x'31' + 1": "2", "TRUE + TRUE": "2", "NULL + 1": "null", "[1] + 1": "null",
		"1 < 2 < 3": "true", "3 > 2 > 1": "false", "1 = 1 = 1": "true", "2 = 2 = 2": "false", "1 < 2 = 1": "true", "1 IS 1 IS 1": "true", "1 ISNULL": "false", "NULL ISNULL": "true", "1 NOTNULL": "true", "NULL NOT NULL": "false",
		"'a' || 1.0": "'a1.0'", "1 || 2 + 1": "13", "1e20 || ''": "'1.0e+20'", "0.1 + 0.2 || ''": "0.30000000000000004", "(0.1 + 0.2) || ''": "'0.3'", "x'61' || 'b'": "'ab'", "1.5e-7 || ''": "'1.5e-07'", "'a' || NULL": "null",
		"'a' LIKE 'A'": "true", "'É' LIKE 'é'": "false", "'É' ILIKE 'é'": "true", "'abc' LIKE 'a_c'": "true", "'a%c' LIKE 'a!%c' ESCAPE '!'": "true", "'abc' LIKE 'a!%c' ESCAPE '!'": "false", "'abcabd' LIKE '%ab_'": "true", "'' LIKE '%'": "true", "'' LIKE '_'": "false", "12 LIKE '1%'": "true", "'ab' LIKE 'b'": "false", "'é' LIKE '_'": "true",
		"'abc' GLOB 'a*'": "true", "'Abc' GLOB 'a*'": "false", "'abc' GLOB 'a?c'": "true", "'b1' GLOB '[a-c][^2-9]'": "true", "'b2' GLOB '[a-c][^2-9]'": "false", "']' GLOB '[]]'": "true", "'a-' GLOB 'a[b-]'": "true", "'*' GLOB '[*]'": "true", "'x' GLOB '[z-a]'": "false", "'x' GLOB '[^z-a]'": "true", "'a' GLOB NULL": "null",
		"'a' = 'A' COLLATE NOCASE": "true", "'a' COLLATE NOCASE <> 'A'": "false", "'a' < 'B' COLLATE NOCASE": "true", "'a  ' = 'a' COLLATE RTRIM": "true", "'a' IN ('A')": "false", "'a' COLLATE NOCASE IN ('A')": "true", "'b' COLLATE NOCASE BETWEEN 'A' AND 'C'": "true", "'a' COLLATE BINARY = 'A' COLLATE NOCASE": "false", "'a' IS 'A' COLLATE NOCASE": "true", "'É' = 'é' COLLATE NOCASE": "false",
		"substr('hello', 0, 2)": "'h'", "substr('hello', -3, 2)": "'ll'", "substr('hello', 2)": "'ello'", "substr('hello', 0)": "'hello'", "substr('hello', 3, -2)": "'he'", "substr('hello', -2, -2)": "'el'", "substr('hello', -9, 6)": "'he'", "substr('hello', 9)": "''", "substr('hello', 0, -1)": "''", "substr('hello', 6, -2)": "'lo'", "substr(12345, 2, 2)": "'23'", "substr(x'010203', 2, 1)": "bytes('Ag==')", "substr('a', NULL)": "null", "substr('héé', 2, 1)": "'é'",
	} {
		if got, err := run(t, db, "SELECT "+text+" AS v", nil); err != nil || got != "{v: "+want+"}" {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
}

// TestPatterns: a pattern that each document has its own of means what one means that is
// known before.
func TestPatterns(t *testing.T) {
	db := newDB(t)
	for _, tt := range []struct{ text, same string }{
		{"SELECT name FROM people WHERE name LIKE lower(name)", "SELECT name FROM people"},
		{"SELECT name FROM people WHERE name GLOB substr(name, 1, 2) || '*'", "SELECT name FROM people"},
		{"SELECT name FROM people WHERE 'Bob' LIKE substr(name, 1, 1) || '%'", "SELECT name FROM people WHERE name LIKE 'b%'"},
		{"SELECT name FROM people WHERE name NOT LIKE nick", "SELECT name FROM people WHERE 1 = 2"},
		{"SELECT name FROM people WHERE name = 'ADA' COLLATE NOCASE OR 'cY' COLLATE NOCASE = name", "SELECT name FROM people WHERE name IN ('Ada', 'Cy')"},
		{"SELECT name FROM people WHERE name <> 'ADA' COLLATE NOCASE", "SELECT name FROM people WHERE name <> 'Ada'"},
		{"SELECT name FROM people WHERE name COLLATE NOCASE > 'b' ORDER BY name", "SELECT name FROM people WHERE name > 'B'"},
		{"SELECT name FROM people ORDER BY age NULLS LAST, name", "SELECT name FROM people ORDER BY age IS NULL, age"},
		{"SELECT name FROM people ORDER BY age DESC NULLS FIRST", "SELECT name FROM people ORDER BY age IS NOT NULL, age DESC"},
		{"SELECT name FROM people ORDER BY age DESC NULLS LAST", "SELECT name FROM people ORDER BY age DESC"},
		{"SELECT address.city FROM people GROUP BY address.city ORDER BY MAX(age) NULLS LAST", "SELECT address.city FROM people WHERE age > 0 OR address.city = 'Tromsø' GROUP BY address.city ORDER BY MAX(age) IS NULL, MAX(age)"},
		{"SELECT lower(name) AS n FROM people ORDER BY 1 COLLATE NOCASE DESC", "SELECT lower(name) AS n FROM people"},
	} {
		got, err := run(t, db, tt.text, nil)
		want, err2 := run(t, db, tt.same, nil)
		if err != nil || err2 != nil || got != want {
			t.Errorf("%s\n%s, %v; want %s, %v", tt.text, got, err, want, err2)
		}
	}
}
