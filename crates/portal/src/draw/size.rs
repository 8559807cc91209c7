//! The two sizes of a chart: one for a desk, one for the hand. An SVG cannot lay itself out anew, so a page holds both.

/// From the last column to the value labels, which stand on the right, beside the newest day.
const TO_LABELS: f64 = 6.0;
/// Width of a character of an 11 px text, taken rather wide.
pub(super) const LETTER: f64 = 6.3;

/// For which screen a chart is drawn. Its texts are 11 px there: a page has one of each, and the style sheet shows one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// A desk.
    Wide,
    /// A phone.
    Narrow,
}

impl Size {
    /// Both, as a page holds them.
    pub(crate) const ALL: [Self; 2] = [Self::Wide, Self::Narrow];

    /// Pixels across.
    pub(super) fn width(self) -> f64 {
        match self {
            Self::Wide => 720.0,
            Self::Narrow => 340.0,
        }
    }

    /// Where the columns end: behind it there is room for labels of seven characters.
    pub(super) fn right(self) -> f64 {
        self.width() - TO_LABELS - 8.0 * LETTER
    }

    /// Where the labels begin.
    pub(super) fn labels(self) -> f64 {
        self.right() + TO_LABELS
    }

    /// Columns that can be told apart.
    pub(crate) fn columns_max(self) -> usize {
        match self {
            Self::Wide => 330,
            Self::Narrow => 100,
        }
    }

    /// What the style sheet calls it, also where only a caption is for one size.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Wide => "desk",
            Self::Narrow => "hand",
        }
    }
}
