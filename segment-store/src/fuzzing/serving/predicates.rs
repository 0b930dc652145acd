//! What columns are asked, whatever their kind: made once, since to read a pattern takes longer than to read a small file.

use std::ops::Bound;
use std::sync::LazyLock;

use henge_indexing::{Comparison, LikePattern, NumberTest, Predicate, RegexPattern, TextTest, ValueKind};

/// The column that is asked.
const THIS: &str = "this";
/// The one after it.
pub const NEXT: &str = "next";

/// How many [`PREDICATES`] there are.
pub const COUNT: usize = 18;

/// Every test of a column, comparisons with the next one, and some of them together.
pub static PREDICATES: LazyLock<[Predicate; COUNT]> = LazyLock::new(|| {
    let regex = || TextTest::Regex(RegexPattern::new("[a-m]+[0-9]").expect("a regular expression"));
    let like = || TextTest::Like(LikePattern::new("%o%1_", None, false).expect("a pattern"));
    let few = || TextTest::any_of(["", "acme", "b", "org-0", "zoé"]);
    let range = TextTest::Range { lower: Bound::Excluded((*b"a").into()), upper: Bound::Included((*b"b").into()) };
    let not = |predicate| Predicate::Not(Box::new(predicate));
    let null = || Predicate::IsNull(THIS.into());
    [
        text(TextTest::equal("org-1")),
        text(few()),
        text(range),
        text(TextTest::Prefix((*b"o").into())),
        text(like()),
        text(regex()),
        null(),
        not(text(few())),
        long(NumberTest::In(vec![-1, 0, 7, i64::MAX])),
        not(long(NumberTest::Range { lower: Bound::Unbounded, upper: Bound::Excluded(3) })),
        double(NumberTest::Range { lower: Bound::Included(0.5), upper: Bound::Unbounded }),
        not(double(NumberTest::In(vec![0.1, f64::NAN]))),
        Predicate::Flag { column: THIS.into(), is: true },
        not_more_than_next(ValueKind::Text),
        not_more_than_next(ValueKind::Long),
        not_more_than_next(ValueKind::Double),
        not_more_than_next(ValueKind::Flag),
        Predicate::Or(vec![
            Predicate::And(vec![not(null()), Predicate::Or(vec![text(like()), text(regex())])]),
            Predicate::And(vec![text(few()), long(NumberTest::In(vec![7])), double(NumberTest::In(vec![0.5]))]),
            not_more_than_next(ValueKind::Text),
        ]),
    ]
});

fn text(test: TextTest) -> Predicate {
    Predicate::Text { column: THIS.into(), test }
}

fn long(test: NumberTest<i64>) -> Predicate {
    Predicate::Long { column: THIS.into(), test }
}

fn double(test: NumberTest<f64>) -> Predicate {
    Predicate::Double { column: THIS.into(), test }
}

fn not_more_than_next(kind: ValueKind) -> Predicate {
    Predicate::Columns { left: THIS.into(), op: Comparison::LessOrEqual, right: NEXT.into(), kind }
}
