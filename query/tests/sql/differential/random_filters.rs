//! Filters that nobody thought of: seeded, in SQL, over the columns of the raw datasource.

use super::data::Numbers;

const TEXT_COLUMNS: [&str; 4] = ["tenant", "host", "peer", "path"];
const LONG_COLUMNS: [&str; 5] = ["code", "big", "seq", "bytes", "size"];
const DOUBLE_COLUMNS: [&str; 4] = ["ratio", "level", "signed", "cost"];
const COMPARISONS: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];
const TEXTS: [&str; 14] = [
    "'acme'",
    "'beta'",
    "''",
    "'日本'",
    "'/'",
    "'/api/v1/users'",
    "'/thirteenbyte'",
    "'a_b'",
    "'back\\slash'",
    "'it''s'",
    "'host-007.us.example'",
    "'host-150'",
    "'zzz'",
    "NULL",
];
const PATTERNS: [&str; 12] =
    ["%", "_%", "/api%", "%users", "%v1%", "/api/v_/users", "a\\_b", "%\\%", "____", "host-1__.us%", "%1%2%", "ACME"];
const REGEXES: [&str; 10] =
    ["^/api", "users$", "v[12]", "^$", "a|b", "\\\\", "(?i)^ACME$", "[^\\x00-\\x7f]", "^host-0.*[0-4]\\.", "\\d{2}"];
const LONGS: [&str; 13] = [
    "-9223372036854775807",
    "-1",
    "0",
    "1",
    "41",
    "200",
    "404",
    "503",
    "1000",
    "9007199254740992",
    "9223372036854775807",
    "500000",
    "NULL",
];
const DOUBLES: [&str; 15] = [
    "-1e308",
    "-1.5",
    "-0.0",
    "0.0",
    "0.1",
    "1.0",
    "1.5",
    "40.5",
    "41.0",
    "9007199254740993.0",
    "1e308",
    "CAST('NaN' AS DOUBLE)",
    "CAST('Infinity' AS DOUBLE)",
    "CAST('-Infinity' AS DOUBLE)",
    "CAST(NULL AS DOUBLE)",
];
const TIMES: [&str; 8] = [
    "TIMESTAMP '1900-01-01 00:00:00'",
    "TIMESTAMP '1969-12-31 23:59:59.999'",
    "TIMESTAMP '2026-01-01 00:00:00'",
    "TIMESTAMP '2026-01-01 05:59:59.999'",
    "TIMESTAMP '2026-01-01 06:00:00'",
    "TIMESTAMP '2026-01-01 17:30:00'",
    "TIMESTAMP '2026-01-02 12:00:00'",
    "TIMESTAMP '9987-01-01 00:00:00'",
];
/// Nothing that an index knows.
const OPAQUE: [&str; 6] = [
    "seq % 3 = 0",
    "LENGTH(path) > 5",
    "UPPER(tenant) = 'ACME'",
    "COALESCE(code, 0) < 300",
    "CASE WHEN ok THEN code = 200 ELSE level < 0 END",
    "EXTRACT(HOUR FROM __time) < 12",
];

/// A filter of at most `depth` levels of AND, OR, NOT and the like.
pub fn filter(numbers: &mut Numbers, depth: u32) -> String {
    if depth == 0 || numbers.below(4) == 0 {
        return leaf(numbers);
    }
    let mut inner = || filter(numbers, depth - 1);
    let (left, right, third) = (inner(), inner(), inner());
    match numbers.below(12) {
        0..3 => format!("({left} AND {right})"),
        3 => format!("({left} AND {right} AND {third})"),
        4..7 => format!("({left} OR {right})"),
        7 => format!("({left} OR {right} OR {third})"),
        8 | 9 => format!("NOT ({left})"),
        10 => format!(
            "(({left}) {})",
            numbers.of(&["IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT FALSE", "IS NULL", "IS NOT NULL"])
        ),
        _ => format!("(({left}) {} ({right}))", numbers.of(&["=", "<>"])),
    }
}

fn leaf(numbers: &mut Numbers) -> String {
    match numbers.below(10) {
        0..4 => text(numbers),
        4 | 5 => number(numbers, &LONG_COLUMNS, &LONGS),
        6 => number(numbers, &DOUBLE_COLUMNS, &DOUBLES),
        7 => columns(numbers),
        8 => time(numbers),
        _ => match numbers.below(3) {
            0 => {
                numbers.of(&["ok", "NOT ok", "ok = TRUE", "ok <> FALSE", "ok IS NOT TRUE", "ok IN (FALSE)"]).to_owned()
            }
            1 => numbers.of(&["big > 40.5", "big <= -0.0", "code = 404.0", "code <> 200.5"]).to_owned(),
            _ => numbers.of(&OPAQUE).to_owned(),
        },
    }
}

fn text(numbers: &mut Numbers) -> String {
    let column = numbers.of(&TEXT_COLUMNS);
    let not = numbers.of(&["", "", "NOT "]);
    match numbers.below(9) {
        0..3 => format!("{column} {} {}", numbers.of(&COMPARISONS), numbers.of(&TEXTS)),
        3 => format!("{column} {not}IN ({})", list(numbers, &TEXTS)),
        4 => format!("{column} {not}BETWEEN {} AND {}", numbers.of(&TEXTS), numbers.of(&TEXTS)),
        5 => format!("{column} {not}{} '{}'", numbers.of(&["LIKE", "LIKE", "ILIKE"]), numbers.of(&PATTERNS)),
        6 => format!("{column} {} '{}'", numbers.of(&["~", "!~", "~*", "!~*"]), numbers.of(&REGEXES)),
        7 => format!("{column} IS {not}NULL"),
        _ => format!("({column} IS {not}DISTINCT FROM {})", numbers.of(&TEXTS)),
    }
}

fn number(numbers: &mut Numbers, columns: &[&str], literals: &[&str]) -> String {
    let column = numbers.of(columns);
    let not = numbers.of(&["", "", "NOT "]);
    match numbers.below(6) {
        0..3 => format!("{column} {} {}", numbers.of(&COMPARISONS), numbers.of(literals)),
        3 => format!("{column} {not}IN ({})", list(numbers, literals)),
        4 => format!("{column} {not}BETWEEN {} AND {}", numbers.of(literals), numbers.of(literals)),
        _ => format!("{column} IS {not}NULL"),
    }
}

fn list(numbers: &mut Numbers, literals: &[&str]) -> String {
    let items = 1 + numbers.below(6);
    (0..items).map(|_| numbers.of(literals)).collect::<Vec<_>>().join(", ")
}

fn columns(numbers: &mut Numbers) -> String {
    let of = match numbers.below(4) {
        0 | 1 => TEXT_COLUMNS.as_slice(),
        2 => LONG_COLUMNS.as_slice(),
        _ => &["ratio", "level", "signed", "cost", "code", "big"],
    };
    let op = numbers.of(&["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"]);
    format!("({} {op} {})", numbers.of(of), numbers.of(of))
}

fn time(numbers: &mut Numbers) -> String {
    let not = numbers.of(&["", "", "NOT "]);
    match numbers.below(6) {
        0..3 => format!("__time {} {}", numbers.of(&COMPARISONS), numbers.of(&TIMES)),
        3 => format!("__time {not}BETWEEN {} AND {}", numbers.of(&TIMES), numbers.of(&TIMES)),
        4 => format!("__time {not}IN ({})", list(numbers, &TIMES)),
        _ => format!("CAST(__time AS DATE) {} DATE '2026-01-02'", numbers.of(&COMPARISONS)),
    }
}
