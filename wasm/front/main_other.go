//go:build !js

package main

import (
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/atomicdb-go/atomicdb/storage/httpapi"
)

// Natively, the command makes tokens.
func main() {
	name := flag.String("tenant", "", "whose databases they are: the `name` of a tenant")
	databases := flag.String("databases", "*", "the `names` of databases, with commas between them; * means all")
	readOnly := flag.Bool("read", false, "the token is for reading alone")
	flag.Parse()
	if !isName.MatchString(*name) {
		log.Fatal("-tenant: expected 1 to 64 letters, digits, - and _")
	}
	if err := printToken(os.Stdout, tenant{*name, strings.Split(*databases, ","), *readOnly}); err != nil {
		log.Fatal(err)
	}
}

// printToken prints a new token, and what to store for it in KV or in D1.
func printToken(w io.Writer, t tenant) error {
	token := rand.Text()
	value, err := json.Marshal(t)
	if err != nil {
		return err
	}
	readOnly := 0
	if t.ReadOnly {
		readOnly = 1
	}
	hash := httpapi.HashToken(token)
	quoted := strings.ReplaceAll(strings.Join(t.Databases, ","), "'", "''")
	_, err = fmt.Fprintf(w, `token %s
KV    npx wrangler kv key put --binding TENANTS %s '%s'
D1    INSERT INTO tenants (hash, tenant, databases, read_only) VALUES ('%s', '%s', '%s', %d)
`, token, hash, value, hash, t.Tenant, quoted, readOnly)
	return err
}
