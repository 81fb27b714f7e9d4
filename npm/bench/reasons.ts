/** Why AtomicDB is not the first in a row, by its title, as far as it was measured; PROFILE.md has the profiles. */
export const reasons: Record<string, string> = {
  'open an empty database':
    'the engine is 5 MB of WebAssembly (1.2 MB compressed), which a page fetches and compiles before the first answer: reading it from the browser\'s own cache takes 65 to 100 ms alone.',
  'bulk insert, memory':
    'RxDB in memory keeps the objects it is given, where AtomicDB encodes and copies them. Each round is a fresh page: of 100 ms for 20,000 documents the encoder takes 45, 28 once V8 has compiled it.',
  'update 10 % by query, memory':
    'sqlite-wasm changes a row where it is; AtomicDB writes each changed document three times (edited, into its memory, into the batch that is stored or undone), 2 µs a document.',
  'get by id': 'LokiJS hands out the object it holds. A copy of one takes 0.15 µs for 280 B, a Promise and the look for it the rest.',
  'indexed equality (email)': 'as for a lookup by id: the object itself against a copy, and a call into WebAssembly of 0.8 µs where no answer is kept.',
  'indexed range of about 100': 'LokiJS and RxDB hand out the objects they hold, AtomicDB copies a hundred, at 0.15 µs each where the answer is kept, and decodes them at 1.1 µs where it is not.',
  'filter without index, 1 % match': 'RxDB hands out what it keeps, and puts a document that comes where it belongs; AtomicDB copies 200 documents, at 0.15 µs each, and if the document that was changed is one of them asks again and decodes them, at 1.1 µs each.',
  'count of the same filter': 'RxDB counts what it keeps. To learn that the answer it keeps still holds, AtomicDB asks the engine, which right after a write to IndexedDB, with cold caches, takes 40 µs, and 10 in a loop without one; if not, it counts again.',
  'sort without index, limit 20': 'RxDB hands out what it keeps. To learn that the answer it keeps still holds, AtomicDB asks the engine, which right after a write to IndexedDB, with cold caches, takes 40 µs, and 10 in a loop without one; then it copies twenty documents.',
  'sort by an index, limit 20': 'RxDB and LokiJS hand out the objects they hold. AtomicDB copies twenty; before that, after a change, it asks the engine whether they still are the answer (10 µs, 40 right after a write to IndexedDB, with cold caches).',
  'durable insert, awaited one by one (each of 500)':
    'each is a transaction of IndexedDB, of which a bare one takes 0.7 to 0.9 ms here; what AtomicDB adds is a call into WebAssembly, the record and a message to other tabs.',
  'durable insert, concurrent (each of 500)': 'LokiJS saves once, after all of them; AtomicDB too, and encodes them before.',
  'remove 10 % by query, durable': 'the batch names each document that goes, and is a transaction of IndexedDB.',
  'page reload to first answer':
    'Dexie loads nothing and sqlite-wasm only pages that the answer needs; AtomicDB fetches 5 MB of WebAssembly (100 to 140 ms of 200) and then reads all documents into memory, checking each (0.13 µs when warm).',
  'bytes downloaded, compressed': 'most of the 1.2 MB are Go: an empty program is 418 kB.',
  'time to first insert': 'RxDB in memory stores nothing.',
  'insert 500 documents (bulk)': 'RxDB in memory keeps the objects it is given.',
  'find 3,000 documents by id (bulk)': 'LokiJS and RxDB hand out objects they hold. In a profile of AtomicDB, 46 % is decoding 3,000 documents of seven objects each, and 20 % reading and sorting the ids. A result is an array, which holds them all, so they are not decoded one by one as they are read.',
  'insert 50 documents (serial)': 'RxDB in memory stores nothing; against Dexie, as for single durable inserts above.',
  'find 50 documents by id (serial)': 'objects that are handed out, against decoded ones.',
  'find 3,050 documents by query, sorted': 'LokiJS and RxDB hand out objects they hold. In a profile of AtomicDB, 64 % is decoding and 15 % copying out of the engine\'s memory.',
  'run 4 queries in parallel, 750 documents each': 'as above: 58 % is decoding 3,000 documents; an index is built, too.',
  'count 750 documents (4x)': 'the first count after opening looks at each document, as it may be the only one.',
  'read a nested property of 3,050 documents, twice': 'not known; the objects are plain ones.',
}
