//! Records of all kinds, seeded: of a few producers, each with its own order of keys, and some of them odd or damaged.

use crate::fleet::random::Random;

const KEYS: [&str; 12] = ["ts", "s", "l", "d", "b", "user.id", "a.b.c", "n", "x", "u", "", "user"];

/// The key orders of producers, as indices of [`KEYS`]; the last one is of a record that is written with spaces.
const PRODUCERS: [&[usize]; 4] =
    [&[0, 1, 2, 3, 4, 5, 6, 7, 8], &[8, 7, 1, 0, 9, 2], &[0, 1, 10, 4, 3, 3], &[2, 0, 5, 1, 8]];

const TIMES: [&str; 12] = [
    "1700000000123",
    "1700000000",
    "1.7e9",
    "\"2026-01-01T00:00:00.5Z\"",
    "0",
    "-1",
    "1700000000123456789",
    "null",
    "9223372036854775808",
    "253402300800000",
    "\"soon\"",
    "99999999999.5",
];
const WHOLES: [&str; 20] = [
    "0",
    "-0",
    "7",
    "42",
    "1234567",
    "999999999999999999",
    "1000000000000000000",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "3.0",
    "3.5",
    "1e3",
    "15e-1",
    "\"12\"",
    "\"007\"",
    "1e19",
    "-0.0",
    "99999999999999999999.5",
];
const DOUBLES: [&str; 18] = [
    "0.0",
    "4.125",
    "0.1",
    "-2.5",
    "1e308",
    "1e400",
    "1e-400",
    "-0.0",
    "123456789012345",
    "1234567890123456",
    "0.30000000000000004",
    "2.2250738585072011e-308",
    "9007199254740993",
    "8.41",
    "\"1.5\"",
    "\"NaN\"",
    "5e-324",
    "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416\
     692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959\
     622842914819860834936475292719074168444365510704342711559699508093042880",
];
const TEXTS: [&str; 22] = [
    "\"\"",
    "\"a\"",
    "\"lkc-00af12\"",
    "\"twelve bytes\"",
    "\"thirteen byte\"",
    "\"orders.payment.prod.v1-dlq\"",
    "\"\u{e9}t\u{e9} \u{1f600}\"",
    "\"\\u00e9\\ud83d\\ude00\"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\u0000\"",
    "\"\u{7f}\u{2028}\"",
    "\"\\ud800\"",
    "\"\\u12g4\"",
    "\"tab\there\"",
    "null",
    "true",
    "1.10",
    "\"null\"",
    "\"{\\\"ts\\\":1}\"",
    "[\"a\"]",
    "{\"x\":1}",
    "\"0123456789abcdef0123456789abcdef\"",
];
const FLAGS: [&str; 7] = ["true", "false", "\"true\"", "\"TRUE\"", "null", "1", "tru"];
const NESTED: [&str; 8] = [
    "{\"id\":\"u-1\"}",
    "{\"id\":7,\"id\":null}",
    "{}",
    "[{\"id\":1}]",
    "{\"b\":{\"c\":5}}",
    "{\"b\":{\"c\":5},\"b\":1}",
    "[[],{\"\":[1,-2.5e3,\"\\n\"]}]",
    "{\"id\":{\"id\":\"deep\"}}",
];
/// What damage writes: bytes that mean something in JSON, and some that never may stand there.
const BYTES: &[u8] = b"{}[]\",:\\0019.eE-+tfnu \t\n\0\x1f\x7f\x80\xc0\xff";

/// The record of a number; about one in ten is not like its producer's others.
pub fn record(random: &mut Random) -> Vec<u8> {
    let producer = random.below(PRODUCERS.len() as u64) as usize;
    let mut keys = PRODUCERS[producer].to_vec();
    let is_odd = random.below(10) == 0;
    if is_odd {
        make_odd(&mut keys, random);
    }
    let (separator, colon) = if producer == 3 { (", ", " : ") } else { (",", ":") };
    let fields = keys.iter().map(|&key| format!("\"{}\"{colon}{}", KEYS[key], value(key, is_odd, random)));
    let text = format!("{{{}}}", fields.collect::<Vec<_>>().join(separator));
    let mut bytes = text.into_bytes();
    if is_odd && random.below(4) == 0 {
        damage(&mut bytes, random);
    }
    bytes
}

/// Keys in another order, one more, or one less.
fn make_odd(keys: &mut Vec<usize>, random: &mut Random) {
    match random.below(4) {
        0 => {
            let by = random.below(keys.len() as u64) as usize;
            keys.rotate_left(by);
        }
        1 => keys.push(random.below(KEYS.len() as u64) as usize),
        2 => _ = keys.remove(random.below(keys.len() as u64) as usize),
        _ => {}
    }
}

/// Mostly a value that its column takes, so that most records become rows; the tables' first values are such.
fn value(key: usize, is_odd: bool, random: &mut Random) -> String {
    let mut of = |values: &[&str], good: u64| {
        let bound = if is_odd || random.below(50) == 0 { values.len() as u64 } else { good };
        values[random.below(bound) as usize].to_owned()
    };
    match KEYS[key] {
        "ts" => of(&TIMES, 7),
        "l" | "a.b.c" => of(&WHOLES, 8),
        "n" => of(&WHOLES, 8),
        "d" | "x" => of(&DOUBLES, 5),
        "b" => of(&FLAGS, 3),
        "user" => of(&NESTED, 3),
        _ => of(&TEXTS, 9),
    }
}

/// Cuts the record, or changes or inserts a byte.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len() as u64) as usize;
    let byte = BYTES[random.below(BYTES.len() as u64) as usize];
    match random.below(3) {
        0 => bytes.truncate(at),
        1 => bytes[at] = byte,
        _ => bytes.insert(at, byte),
    }
}

/// Every record that is one cut or one byte away from this one.
pub fn damaged(record: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..record.len()).flat_map(move |at| {
        let cut = std::iter::once(record[..at].to_vec());
        let changed = BYTES.iter().flat_map(move |&byte| {
            let (mut replaced, mut longer) = (record.to_vec(), record.to_vec());
            replaced[at] = byte;
            longer.insert(at, byte);
            [replaced, longer]
        });
        cut.chain(changed)
    })
}
