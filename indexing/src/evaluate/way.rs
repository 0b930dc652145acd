/// How rows that pass a test of a column were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// By the index of a dimension.
    Index,
    /// By the codes of rows: their texts were tested in the dictionary.
    CodeScan,
    /// By the text of each row.
    TextScan,
    /// By zone maps, and the numbers of blocks for which those do not decide.
    NumberScan,
    /// By which rows are null.
    NullScan,
    /// By two columns side by side.
    Comparison,
}

impl Way {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::CodeScan => "code_scan",
            Self::TextScan => "text_scan",
            Self::NumberScan => "number_scan",
            Self::NullScan => "null_scan",
            Self::Comparison => "comparison",
        }
    }
}

/// Is told the column of each test that was made, and how.
pub(super) type Note<'n> = &'n mut dyn FnMut(&str, Way);
