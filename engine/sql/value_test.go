package sql_test

import (
	"strings"
	"testing"
	"time"

	"github.com/atomicdb-go/atomicdb/engine"
)

// TestValues: expressions have the values that SQLite gives them.
func TestValues(t *testing.T) {
	db := newDB(t)
	for text, want := range map[string]string{
		`'C:\temp'`: `'C:\\temp'`, `length('\n')`: "2", `'it''s'`: `'it\'s'`, "x'00fF'": "bytes('AP8=')", "X''": "bytes('')", "0x1F": "31", "-0x10": "-16", "0xffffffffffffffff": "-1", "1e3": "1000", ".5": "0.5", "5.": "5", "5.e1": "50",
		"7 / 2": "3", "-7 / 2": "-3", "7 / 2.0": "3.5", "7 * 1.0 / 2": "3.5", "6.0 / 2": "3", "1 / 0": "null", "1.5 / 0": "null", "1 % 0": "null", "7 % -3": "1", "-7 % 3": "-1", "7.9 % 3": "1", "9 % 2.9": "1", "5 % 0.5": "null", "-9223372036854775808 / -1": "9223372036854775808", "-9223372036854775808 % -1": "0",
		"5 & 3": "1", "5 | 3": "7", "1 << 4": "16", "1 << 64": "0", "-1 >> 70": "-1", "16 >> 2": "4", "16 << -2": "4", "16 >> -2": "64", "~5": "-6", "~-1": "0", "- ~ 5": "6", "-(-5)": "5", "- -5": "5", "+ 5": "5", "1 + 2 << 1": "6", "6 & 3 + 1": "4", "1 | 2 = 3": "true", "~NULL": "null", "1 & NULL": "null",
		"'5' + 1": "6", "'1.5x' * 2": "3", "'abc' + 1": "1", "-'3'": "-3", "' 7 ' - 1": "6", "x'31' + 1": "2", "TRUE + TRUE": "2", "NULL + 1": "null", "[1] + 1": "null",
		"1 < 2 < 3": "true", "3 > 2 > 1": "false", "1 = 1 = 1": "true", "2 = 2 = 2": "false", "1 < 2 = 1": "true", "1 IS 1 IS 1": "true", "1 ISNULL": "false", "NULL ISNULL": "true", "1 NOTNULL": "true", "NULL NOT NULL": "false",
		"'a' || 1.0": "'a1.0'", "1 || 2 + 1": "13", "1e20 || ''": "'1.0e+20'", "0.1 + 0.2 || ''": "0.30000000000000004", "(0.1 + 0.2) || ''": "'0.30000000000000004'", "x'61' || 'b'": "'ab'", "1.5e-7 || ''": "'1.5e-07'", "'a' || NULL": "null",
		"'a' LIKE 'A'": "true", "'É' LIKE 'é'": "false", "'É' ILIKE 'é'": "true", "'abc' LIKE 'a_c'": "true", "'a%c' LIKE 'a!%c' ESCAPE '!'": "true", "'abc' LIKE 'a!%c' ESCAPE '!'": "false", "'abcabd' LIKE '%ab_'": "true", "'' LIKE '%'": "true", "'' LIKE '_'": "false", "12 LIKE '1%'": "true", "'ab' LIKE 'b'": "false", "'é' LIKE '_'": "true",
		"'abc' GLOB 'a*'": "true", "'Abc' GLOB 'a*'": "false", "'abc' GLOB 'a?c'": "true", "'b1' GLOB '[a-c][^2-9]'": "true", "'b2' GLOB '[a-c][^2-9]'": "false", "']' GLOB '[]]'": "true", "'a-' GLOB 'a[b-]'": "true", "'*' GLOB '[*]'": "true", "'x' GLOB '[z-a]'": "false", "'x' GLOB '[^z-a]'": "true", "'a' GLOB NULL": "null",
		"'a' = 'A' COLLATE NOCASE": "true", "'a' COLLATE NOCASE <> 'A'": "false", "'a' < 'B' COLLATE NOCASE": "true", "'a  ' = 'a' COLLATE RTRIM": "true", "'a' IN ('A')": "false", "'a' COLLATE NOCASE IN ('A')": "true", "'b' COLLATE NOCASE BETWEEN 'A' AND 'C'": "true", "'a' COLLATE BINARY = 'A' COLLATE NOCASE": "false", "'a' IS 'A' COLLATE NOCASE": "true", "'É' = 'é' COLLATE NOCASE": "false",
		"'a' IN ('A' COLLATE NOCASE)": "false", "'b' BETWEEN 'A' COLLATE NOCASE AND 'C'": "false", "'b' BETWEEN 'A' AND 'C' COLLATE NOCASE": "true", "'b' NOT BETWEEN 'A' AND 'C' COLLATE NOCASE": "false", "NULL BETWEEN 'A' AND 'C' COLLATE NOCASE": "null",
		"1e15 || ''": "'1000000000000000.0'", "1e16 || ''": "'10000000000000000.0'", "1e17 || ''": "'1.0e+17'", "-12345678901234567.0 || ''": "'-12345678901234568.0'", "0.0001 || ''": "'0.0001'",
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

// TestFunctions: functions and CAST have the values that SQLite gives them.
func TestFunctions(t *testing.T) {
	db := newDB(t)
	for text, want := range map[string]string{
		"CAST('12abc' AS INTEGER)": "12", "CAST(-2.9 AS INT)": "-2", "CAST(1e30 AS INTEGER)": "9223372036854775807", "CAST('2.5' AS REAL)": "2.5", "CAST(7 AS TEXT)": "'7'", "CAST(7 AS REAL) / 2": "3.5", "CAST(2.0 AS VARCHAR(10))": "'2.0'", "CAST('a' AS BLOB)": "bytes('YQ==')", "CAST('3.0' AS NUMERIC)": "3", "CAST(NULL AS TEXT)": "null", "CAST((1 = 1) AS TEXT)": "'1'", "CAST([1] AS TEXT)": "null", "CAST('1' AS DOUBLE PRECISION)": "1",
		"ifnull(NULL, 2)": "2", "nullif(1, 1)": "null", "nullif(1, 2)": "1", "nullif(NULL, 1)": "null", "iif(1 < 2, 'y', 'n')": "'y'", "iif(NULL, 'y', 'n')": "'n'", "iif(0, 'y')": "null", "coalesce(NULL, NULL)": "null", "coalesce(NULL, 1 = 1)": "true", "coalesce(NULL, 1 = 1) = 1": "true",
		"replace('aXbX', 'X', '--')": "'a--b--'", "replace('abc', '', 'x')": "'abc'", "replace(121, 1, 9)": "'929'", "replace('a', NULL, 'b')": "null", "instr('hello', 'l')": "3", "instr('héllo', 'l')": "3", "instr('a', 'b')": "0", "instr(x'0102', x'02')": "2", "instr('a', NULL)": "null",
		"concat('a', NULL, 1, 2.0)": "'a12.0'", "concat_ws('-', 'a', NULL, 1)": "'a-1'", "concat_ws(NULL, 'a', 'b')": "null", "trim('  a ')": "'a'", "ltrim('xxaxx', 'x')": "'axx'", "rtrim('xyayx', 'xy')": "'xya'", "trim('a', NULL)": "null", "upper('aé')": "'AÉ'", "lower(NULL)": "null",
		"hex('aé')": "'61C3A9'", "hex(x'0aff')": "'0AFF'", "hex(12)": "'3132'", "hex(NULL)": "''", "unhex('0aFF')": "bytes('Cv8=')", "unhex('0')": "null", "unhex('zz')": "null", "unhex('+1')": "null", "quote('it''s')": `'\'it\'\'s\''`, "quote(NULL)": "'NULL'", "quote(x'0a')": `'X\'0A\''`, "quote(1.5)": "'1.5'", "unicode('é')": "233", "unicode('')": "null", "char(72, 105)": "'Hi'", "char()": "''",
		"sign(-2.5)": "-1", "sign(0)": "0", "sign('7')": "1", "sign('x')": "null", "sign(NULL)": "null", "abs(-9223372036854775807)": "9223372036854775807", "abs('-3x')": "3", "round(2.5)": "3", "round(-2.5)": "-3", "round(2.345, 2)": "2.35", "round(7) / 2": "3.5", "round(1234, -2)": "1234", "round('1.26', 1)": "1.3", "round(NULL)": "null", "floor(-1.5)": "-2", "ceiling(1.2)": "2", "trunc(-1.7)": "-1", "ceil(3)": "3",
		"min(3, 1, 2)": "1", "max(1, 'a', 2.5)": "'a'", "min(1, NULL)": "null", "min(3.0, 3) || ''": "'3'", "max(3.0, 3) || ''": "'3.0'", "max(1 = 1, 1 = 2)": "true", "length(12.5)": "4", "length(x'0102')": "2", "length([1, 2])": "2",
		"printf('%.2f', 3.22e37)": "'32200000000000000000000000000000000000.00'", "printf('%.0f', -1e16)": "'-10000000000000000'", "printf('%d %5.1f|%-4s|%04d', 1, 2.25, 'ab', 7)": "'1   2.3|ab  |0007'", "printf('%s', NULL)": "''", "printf('%,d', 1234567)": "'1,234,567'", "printf('%x %X %o', 255, 255, 8)": "'ff FF 10'", "printf('%q %Q %w', 'it''s', NULL, 'a\"b')": `'it\'\'s NULL a""b'`, "printf('%c%c|%%', 'xyz', 'é')": "'xé|%'", "format('%*d|%+d|% d', 4, 7, 7, 7)": "'   7|+7| 7'", "printf('%.2s|', 'abc')": "'ab|'", "printf('%e', 12345.678)": "'1.234568e+04'", "printf('a%')": "'a'", "printf(NULL)": "null", "printf('%d')": "'0'",
		"date('2024-01-31', '+1 month')": "'2024-03-02'", "date(0, 'unixepoch')": "'1970-01-01'", "date('2024-02-29', 'start of month', '-1 day')": "'2024-01-31'", "time('12:30', '+45 minutes')": "'13:15:00'", "datetime('2024-05-17T10:30:00.500Z')": "'2024-05-17 10:30:00'", "datetime('2024-05-17 10:30+02:00')": "'2024-05-17 08:30:00'", "datetime(date('2024-05-17'))": "'2024-05-17 00:00:00'",
		"julianday('2024-01-01')": "2.4603105e+06", "unixepoch('1970-01-02')": "86400", "unixepoch('x')": "null", "strftime('%Y/%m/%d %H-%M-%S %j %w %W %s %f %%', '2024-05-17 10:30:15.25')": "'2024/05/17 10-30-15 138 5 20 1715941815 15.250 %'", "strftime('%Q', 0)": "null", "strftime('%G-%V %g', '2024-12-30')": "'2025-01 25'", "strftime('%G-%V', '2021-01-03')": "'2020-53'", "date('2024-05-17', 'weekday 0')": "'2024-05-19'", "date('2024-13-01', '+1 day')": "null", "date('2024-05-17', 'nonsense')": "null", "date(NULL, '+1 day')": "null", "datetime(1715941815, 'auto')": "'2024-05-17 10:30:15'", "date(2460310.5, '+0 days')": "'2024-01-01'", "time('10:30:15.256', 'subsec')": "'10:30:15.256'",
		"json_extract({a: {b: [1, 2, 3]}}, '$.a.b[1]')": "2", "json_extract({a: [1, 2]}, '$.a[#-1]', '$.b', '$')": "[2, null, {a: [1, 2]}]", `json_extract({'a b': 1}, '$."a b"')`: "1", "json_extract({a: 1}, 'a')": "null", "json_extract([1], '$[1]')": "null", "json_array_length([1, 2])": "2", "json_array_length({a: [1]}, '$.a')": "1", "json_array_length({a: 1})": "0", "json_array_length({a: 1}, '$.b')": "null", "json_type({a: [1]}, '$.a')": "'array'", "json_type(1.5)": "'real'", "json_type(1)": "'integer'", "json_type({a: NULL}, '$.a')": "'null'", "json_type('[1, \"a\"]', '$[1]')": "'text'", "json_type('x')": "null", "json_extract('{\"a\": 1}', '$.a')": "1", "json_valid('{\"a\": 1, \"a\": 2}')": "0", "json_valid('{\"__proto__\": 1}')": "0", "json_valid([1])": "1", "json('[1.0, -0, 18446744073709551615]')": "[1, 0, 18446744073709551615]", "json_object('a', 1, 'b', 2, 'a', 3)": "{a: 3, b: 2}", "json_object(NULL, 1)": "null", "json_object('__proto__', 1)": "null",
		"[1, [2, 3]] -> -1 -> 0": "2", "{a: {'b.c': 1}} ->> 'a' -> 'b.c'": "1", "{a: 1} -> NULL": "null", "'x' -> 'a'": "null", "{a: 1} || 'x' -> 'a'": "null", "1 + '[5]' ->> 0 * 2": "11",
		"json_type({a: 1}, '$.b')": "null",
	} {
		if got, err := run(t, db, "SELECT "+text+" AS v", nil); err != nil || got != "{v: "+want+"}" {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"date('now')": "no clock", "datetime()": "no clock", "strftime('%s', 'NOW')": "no clock", "unixepoch('now', 'subsec')": "no clock", "CURRENT_TIMESTAMP": "no clock", "date('2024-01-01', 'localtime')": "no time zones",
		"CAST(1 AS 5)": "a type", "CAST(1)": "AS", "concat_ws('-')": "2 to 100 arguments", "iif(1)": "2 to 3 arguments", "nullf(1, 1)": "did you mean NULLIF?", "FIRST(1) FILTER (WHERE 1)": "no FILTER",
	} {
		if _, err := run(t, db, "SELECT "+text+" AS v", nil); engine.CodeOf(err) != engine.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", text, err, want)
		}
	}
}

// TestAggregates: FILTER, TOTAL and GROUP_CONCAT.
func TestAggregates(t *testing.T) {
	db := newDB(t)
	for text, want := range map[string]string{
		"SELECT COUNT(*) FILTER (WHERE age > 30) AS n, SUM(age) FILTER (WHERE active) AS s, MAX(age) FILTER (WHERE 1 = 2) AS m FROM people": "{n: 2, s: 36, m: null}",
		"SELECT TOTAL(age) / 4 AS mean, TOTAL(nick) AS none, TOTAL(DISTINCT active) AS d FROM people":                                       "{mean: 27, none: 0, d: 0}",
		"SELECT GROUP_CONCAT(name) AS all, STRING_AGG(age, '; ') AS ages, GROUP_CONCAT(nick) AS none FROM people":                           "{all: 'Ada,Bob,Cy,Dee 100%', ages: '36; 20; 52', none: null}",
		"SELECT address.city, GROUP_CONCAT(name, '') AS who FROM people GROUP BY address.city HAVING GROUP_CONCAT(name, '') LIKE '%cy'":     "{city: 'Oslo', who: 'AdaCy'}",
		"SELECT GROUP_CONCAT(DISTINCT address.city) AS c, GROUP_CONCAT(name) FILTER (WHERE age < 40) AS y FROM people":                      "{c: 'Oslo,Bergen,Tromsø', y: 'Ada,Bob'}",
		"SELECT SUM(age > 30) AS old, COUNT(age > 30) AS known, AVG(age > 30) AS part FROM people WHERE age IS NULL OR age > 20":            "{old: 2, known: 2, part: 1}",
		"SELECT max(MIN(age), COUNT(*)) AS v FROM people":                                                                                   "{v: 20}",
		"SELECT GROUP_CONCAT(name) AS v FROM people WHERE 1 = 2":                                                                            "{v: null}",
	} {
		if got, err := run(t, db, text, nil); err != nil || got != want {
			t.Errorf("%s\n%s, %v; want %s", text, got, err, want)
		}
	}
	if _, err := run(t, db, "SELECT GROUP_CONCAT(name, age) FROM people", nil); engine.CodeOf(err) != engine.CodeInvalid {
		t.Errorf("a separator of each row: %v", err)
	}
}

// TestDateLiterals: date('…') is a text, as in SQLite, and in a comparison also the date.
// In VALUES and SET it is the date.
func TestDateLiterals(t *testing.T) {
	db := newDB(t)
	for _, tt := range []struct{ text, want string }{
		{"SELECT date('2024-01-31', '+1 month', 'floor') AS a, date('2024-05-31', '+1 month', '+1 day', 'floor') AS b, datetime('2024-05-17', '-0001-02-03 04:05') AS c", "{a: '2024-02-29', b: '2024-07-02', c: '2023-03-13 19:55:00'}"},
		{"SELECT x.a, b, c FROM (SELECT 1 AS a) x, (SELECT 2 AS b), (SELECT 3 AS c) WHERE b < c", "{a: 1, b: 2, c: 3}"},
		{"WITH RECURSIVE d(x) AS (SELECT date('2026-01-30') UNION ALL SELECT date(x, '+1 day') FROM d WHERE x < date('2026-02-01')) SELECT * FROM d", "{x: '2026-01-30'} {x: '2026-01-31'} {x: '2026-02-01'}"},
		{"INSERT INTO days (_id, d, e) VALUES (1, date('2026-01-30'), '2026-01-30'), (2, coalesce(NULL, date('2026-02-01')), CASE WHEN 1 THEN '2026-02-01' ELSE date('2026-02-01') END)", "{_id: 1} {_id: 2}"},
		{"UPDATE days SET f = CASE _id WHEN 1 THEN date('2026-03-01') ELSE 0 END", "{updated: 2}"},
		{"SELECT * FROM days", "{_id: 1, d: date('2026-01-30'), e: '2026-01-30', f: date('2026-03-01')} {_id: 2, d: date('2026-02-01'), e: '2026-02-01', f: 0}"},
		{"SELECT _id FROM days WHERE d < date('2026-02-01') AND e < date('2026-02-01')", "{_id: 1}"},
		{"SELECT _id FROM days WHERE date('2026-02-01') <> d AND e <> date('2026-02-01')", "{_id: 1}"},
		{"SELECT _id FROM days WHERE d IN (date('2026-02-01'), 3) AND e IN (date('2026-02-01'))", "{_id: 2}"},
		{"SELECT _id FROM days WHERE d BETWEEN date('2026-01-31') AND date('2026-02-02') AND NOT e BETWEEN date('2026-01-01') AND date('2026-01-31')", "{_id: 2}"},
		{"SELECT _id FROM days WHERE d IS date('2026-02-01') AND e IS date('2026-02-01')", "{_id: 2}"},
		{"SELECT _id FROM days WHERE d IN (_id, date('2026-02-01')) AND coalesce(e, d) = date('2026-02-01')", "{_id: 2}"},
		{"SELECT CASE d WHEN date('2026-02-01') THEN 1 ELSE 0 END AS a, CASE e WHEN date('2026-02-01') THEN 1 ELSE 0 END AS b FROM days WHERE _id = 2", "{a: 1, b: 1}"},
		{"SELECT _id FROM days WHERE date('2026-01-30') BETWEEN e AND date('2026-01-31') AND _id BETWEEN 1 AND 2", "{_id: 1}"},
	} {
		got, err := run(t, db, tt.text, nil)
		if got = strings.ReplaceAll(got, "\n", " "); err != nil || got != tt.want {
			t.Errorf("%s\n%s, %v; want %s", tt.text, got, err, tt.want)
		}
	}
	midnight := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, text := range []string{"date('2026-01-01') = ?", "? = date('2026-01-01')", "date('2026-01-01') IS ?", "date('2025-12-31') < ?", "? BETWEEN date('2025-12-31') AND date('2026-01-02')"} {
		if got, err := run(t, db, "SELECT "+text+" AS v", []any{midnight}); err != nil || got != "{v: true}" {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
}
