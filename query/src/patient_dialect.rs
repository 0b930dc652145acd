//! The parser's generic dialect, which loses its patience.
//!
//! Where `CASE`, `CAST`, `FLOOR` and the like cannot be read, sqlparser 0.62 reads them once more as names, on every level
//! that they are nested in: forty unfinished `CASE` in 800 bytes would keep it busy for days. Every expression begins with
//! what is counted here. Text without a fault is read once, and never comes near the limit.

use std::any::TypeId;
use std::cell::Cell;

use datafusion::sql::sqlparser::ast::Expr;
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};

/// For each token of a statement.
const BEGINNINGS_PER_TOKEN: usize = 16;
const BEGINNINGS_MIN: usize = 10_000;

#[derive(Debug)]
pub(crate) struct PatientDialect {
    /// Beginnings of expressions that are still read.
    left: Cell<usize>,
}

impl PatientDialect {
    /// For a statement of so many tokens.
    pub fn new(tokens: usize) -> Self {
        Self { left: Cell::new(tokens.saturating_mul(BEGINNINGS_PER_TOKEN).max(BEGINNINGS_MIN)) }
    }
}

/// What [`GenericDialect`] does not leave as it is.
macro_rules! as_generic {
    ($($name:ident),* $(,)?) => {
        $(fn $name(&self) -> bool {
            GenericDialect.$name()
        })*
    };
}

impl Dialect for PatientDialect {
    /// The parser asks in some places which dialect it is.
    fn dialect(&self) -> TypeId {
        GenericDialect.dialect()
    }

    fn parse_prefix(&self, _: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                None
            }
            None => Some(Err(ParserError::RecursionLimitExceeded)),
        }
    }

    fn is_delimited_identifier_start(&self, start: char) -> bool {
        GenericDialect.is_delimited_identifier_start(start)
    }

    fn is_identifier_start(&self, start: char) -> bool {
        GenericDialect.is_identifier_start(start)
    }

    fn is_identifier_part(&self, part: char) -> bool {
        GenericDialect.is_identifier_part(part)
    }

    as_generic!(
        supports_unicode_string_literal,
        supports_partition_by_after_order_by,
        supports_array_join_syntax,
        supports_group_by_expr,
        supports_group_by_with_modifier,
        supports_left_associative_joins_without_parens,
        supports_connect_by,
        supports_match_recognize,
        supports_pipe_operator,
        supports_start_transaction_modifier,
        supports_window_function_null_treatment_arg,
        supports_dictionary_syntax,
        supports_window_clause_named_window_reference,
        supports_parenthesized_set_variables,
        supports_select_wildcard_except,
        support_map_literal_syntax,
        allow_extract_custom,
        allow_extract_single_quotes,
        supports_extract_comma_syntax,
        supports_create_view_comment_syntax,
        supports_parens_around_table_factor,
        supports_values_as_table_factor,
        supports_create_index_with_clause,
        supports_explain_with_utility_options,
        supports_limit_comma,
        supports_update_order_by,
        supports_from_first_select,
        supports_projection_trailing_commas,
        supports_asc_desc_in_column_definition,
        supports_try_convert,
        supports_bitwise_shift_operators,
        supports_comment_on,
        supports_load_extension,
        supports_named_fn_args_with_assignment_operator,
        supports_struct_literal,
        supports_empty_projections,
        supports_nested_comments,
        supports_multiline_comment_hints,
        supports_user_host_grantee,
        supports_string_escape_constant,
        supports_array_typedef_with_brackets,
        supports_match_against,
        supports_set_names,
        supports_comma_separated_set_assignments,
        supports_filter_during_aggregation,
        supports_select_wildcard_exclude,
        supports_data_type_signed_suffix,
        supports_interval_options,
        supports_quote_delimited_string,
        supports_select_wildcard_replace,
        supports_select_wildcard_ilike,
        supports_select_wildcard_rename,
        supports_optimize_table,
        supports_install,
        supports_detach,
        supports_prewhere,
        supports_with_fill,
        supports_limit_by,
        supports_interpolate,
        supports_settings,
        supports_select_format,
        supports_comment_optimizer_hint,
        supports_constraint_keyword_without_name,
        supports_key_column_option,
        supports_comma_separated_trim,
        supports_cte_without_as,
        supports_select_item_multi_column_alias,
        supports_xml_expressions,
    );
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::tokenizer::Token;

    use super::*;

    fn parse(sql: &str, dialect: &dyn Dialect) -> Result<String, String> {
        let parser = Parser::new(dialect).with_recursion_limit(200).try_with_sql(sql);
        let query = parser.and_then(|mut parser| {
            let query = parser.parse_query()?;
            parser.expect_token(&Token::EOF)?;
            Ok(query)
        });
        query.map(|query| query.to_string()).map_err(|error| error.to_string())
    }

    /// On a stack for the depth that the parser allows.
    fn on_large_stack(test: fn()) {
        let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(test);
        thread.expect("there is a thread").join().expect("the test passes");
    }

    /// Each of these takes the parser days where nobody counts.
    #[test]
    fn a_statement_that_breaks_off_deep_inside_is_refused_at_once() {
        on_large_stack(|| {
            let openings = [
                "CASE WHEN TRUE THEN ",
                "CASE (",
                "CAST(",
                "ARRAY[",
                "INTERVAL ",
                "POSITION(",
                "SUBSTRING(",
                "CEIL(",
                "FLOOR(",
                "CONVERT(",
                "OVERLAY(",
                "EXTRACT(DAY FROM ",
                "EXISTS (SELECT ",
                "TRIM(",
                "(",
            ];
            for opening in openings {
                for ending in ["", ")", " ,)", " FROM FROM", " 1 1"] {
                    let sql = format!("SELECT {}{ending}", opening.repeat(48));
                    assert!(parse(&sql, &PatientDialect::new(500)).is_err(), "{opening}{ending}");
                }
            }
        });
    }

    #[test]
    fn what_can_be_read_is_read_as_the_generic_dialect_does() {
        on_large_stack(|| {
            let nested =
                format!("SELECT {}1{}", "CASE WHEN TRUE THEN CAST(FLOOR(".repeat(40), ") AS BIGINT) END".repeat(40));
            let statements = [
                nested.as_str(),
                "SELECT a, `b`, #c FROM t AS u GROUP BY ALL",
                "SELECT {fn LCASE('A')}, x::INT, y ->> 'z', f(a => 1), ARRAY[1, 2][1] FROM TABLE(g(1))",
                "WITH a AS (SELECT 1) SELECT * EXCLUDE (x) FROM a QUALIFY ROW_NUMBER() OVER (ORDER BY y) = 1",
            ];
            for sql in statements {
                let expected = parse(sql, &GenericDialect);
                assert!(expected.is_ok(), "{expected:?}");
                assert_eq!(parse(sql, &PatientDialect::new(500)), expected);
            }
        });
    }
}
