// Asks a demo as Grafana's PostgreSQL source does: pgx in the simple protocol, the statements of grafana.sql.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// What Grafana turns into fields of frames; it knows no other types than those of pgx's map.
var known = map[uint32]bool{16: true, 20: true, 25: true, 701: true, 1082: true, 1184: true, 1700: true}

func check(what string, found, expected any) {
	if fmt.Sprint(found) != fmt.Sprint(expected) {
		fmt.Fprintf(os.Stderr, "%s: found %v, expected %v\n", what, found, expected)
		os.Exit(1)
	}
}

func main() {
	ctx := context.Background()
	config, err := pgx.ParseConfig("postgres://henge@" + os.Args[1] + "/henge?sslmode=disable")
	check("the address", err, nil)
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	connection, err := pgx.ConnectConfig(ctx, config)
	check("connecting", err, nil)
	text, err := os.ReadFile("../grafana.sql")
	check("grafana.sql", err, nil)
	count := 0
	for _, part := range strings.Split(string(text), "-- ")[1:] {
		number, sql, _ := strings.Cut(part, "\n")
		atLeast, err := strconv.Atoi(strings.TrimSpace(number))
		check("a number of rows", err, nil)
		results, err := connection.PgConn().Exec(ctx, sql).ReadAll()
		check(sql, err, nil)
		check(sql, len(results), 1)
		tag := results[0].CommandTag.String()
		check(sql+" says SELECT", strings.HasPrefix(tag, "SELECT"), true)
		if len(results[0].Rows) < atLeast {
			check(sql, len(results[0].Rows), number)
		}
		for _, field := range results[0].FieldDescriptions {
			check(fmt.Sprintf("the type %d of %s is known", field.DataTypeOID, field.Name), known[field.DataTypeOID], true)
		}
		count++
	}
	var events int64
	var newest time.Time
	var region string
	row := connection.QueryRow(ctx, "SELECT SUM(events), MAX(__time), MAX(region) FROM fleet WHERE region <> $1 AND __time < $2", "it's", time.Now().Add(time.Hour))
	check("values", row.Scan(&events, &newest, &region), nil)
	check("events", events > 0 && newest.Year() > 2020 && region != "", true)
	config.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	extended, err := pgx.ConnectConfig(ctx, config)
	check("connecting", err, nil)
	row = extended.QueryRow(ctx, "SELECT SUM(events), MAX(__time), MAX(region) FROM fleet WHERE region <> $1 AND __time < $2", "it's", time.Now().Add(time.Hour))
	check("values in binary", row.Scan(&events, &newest, &region), nil)
	_, err = connection.Exec(ctx, "SELECT nothing FROM fleet")
	var failure *pgconn.PgError
	check("an error", errors.As(err, &failure) && failure.Code == "42703" && failure.Position == 8, true)
	soon, stop := context.WithTimeout(ctx, 200*time.Millisecond)
	defer stop()
	_, err = extended.Exec(soon, "SELECT COUNT(*) FROM fleet a CROSS JOIN fleet b CROSS JOIN fleet c WHERE a.lag + b.lag + c.lag = -1")
	check("a cancellation", err != nil && soon.Err() != nil, true)
	fmt.Printf("pgx: %d statements of Grafana answered, values read, an error and a cancellation seen\n", count)
}
