//! What a field of a table says.

/// How files say that a number is missing.
const MISSING: [&str; 31] = [
    "", "-", "--", "---", "–", "—", ".", "..", "?", "na", "n/a", "n.a.", "#n/a", "#n/a n/a", "#na",
    "<na>", "nan", "-nan", "nil", "none", "null", "missing", "\\n", "#null!", "#div/0!", "#value!",
    "#ref!", "#name?", "#num!", "1.#ind", "-1.#ind",
];

/// The characters that separate groups of three digits.
const GROUPS: [char; 8] = [',', '\'', '’', '_', ' ', '\u{a0}', '\u{2009}', '\u{202f}'];

/// What a field says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Field {
    /// A number that fits 32 bits.
    Number(f64),
    /// That there is no number.
    Missing,
    /// Meant as a number, but not one that is understood for certain.
    Doubtful,
    /// Something else.
    Text,
}

impl Field {
    /// Reads a field of a table whose fields are separated by this character. Where that is a semicolon, a comma in a number is
    /// as likely a decimal one.
    pub fn read(text: &str, delimiter: u8) -> Self {
        if MISSING.contains(&text.to_ascii_lowercase().as_str()) {
            return Self::Missing;
        }
        let plain = text.replace('−', "-");
        let number: Option<f64> = plain.parse().ok().or_else(|| {
            let decimal = delimiter == b';' && plain.contains(',');
            let text = ungrouped(&plain).filter(|_| !decimal)?;
            text.parse().ok()
        });
        match number {
            Some(number) if (number as f32).is_finite() => Self::Number(number),
            Some(_) => Self::Doubtful,
            None if is_doubtful(&plain) => Self::Doubtful,
            None => Self::Text,
        }
    }
}

/// A number without the separators of its thousands, if it has some and they stand where they belong.
fn ungrouped(text: &str) -> Option<String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let separator = whole.chars().find(|c| GROUPS.contains(c))?;
    let mut groups = whole.split(separator);
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next()?;
    let sound = (1..=3).contains(&first.len())
        && all_digits(first)
        && all_digits(fraction)
        && groups.all(|group| group.len() == 3 && all_digits(group));
    sound.then(|| text.replace(separator, ""))
}

/// Whether it is a number but for its punctuation: a decimal comma, a currency, a percent sign, parentheses. Dates, versions
/// and telephone numbers are text.
fn is_doubtful(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_digit() || ".,'’()%$€£¥+- \u{a0}".contains(c);
    let inner = text.trim_start_matches(['+', '-', '(', '$', '€', '£', '¥', ' ']);
    let dots = inner.split('.').skip(1);
    let dated = inner.matches('.').count() > 1 && !dots.into_iter().all(|group| group.len() == 3);
    text.contains(|c: char| c.is_ascii_digit())
        && text.chars().all(allowed)
        && !inner.contains(['-', '+'])
        && !dated
        && (text.contains([',', '.', '%', '$', '€', '£', '¥', '(', '\'', '’']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Field {
        Field::read(text, b',')
    }

    #[test]
    fn numbers_may_have_separators_of_thousands() {
        for (text, number) in [
            ("1,234", 1234.0),
            ("-12,345,678.5", -12_345_678.5),
            ("1 234", 1234.0),
            ("1\u{202f}234\u{202f}567", 1_234_567.0),
            ("1'234", 1234.0),
            ("1_000", 1000.0),
            ("−3.5", -3.5),
            ("1e3", 1000.0),
            ("+.5", 0.5),
            ("1700000000.25", 1_700_000_000.25),
        ] {
            assert_eq!(read(text), Field::Number(number), "{text}");
        }
        assert_eq!(Field::read("1,234", b'\t'), Field::Number(1234.0));
        // As likely 1.234.
        assert_eq!(Field::read("1,234", b';'), Field::Doubtful);
    }

    #[test]
    fn what_is_meant_as_a_number_is_no_text() {
        for text in [
            "1,5",
            "12,34,567",
            "1.234,5",
            "1.234.567",
            "5%",
            "$5",
            "(5)",
            "1e99",
            "inf",
            "1,2345",
        ] {
            assert_eq!(read(text), Field::Doubtful, "{text}");
        }
    }

    #[test]
    fn missing_numbers_are_no_text() {
        for text in [
            "", "#N/A", "NA", "N/A", "-", "—", "?", "NaN", "NULL", "None", "#DIV/0!", "\\N",
        ] {
            assert_eq!(read(text), Field::Missing, "{text}");
        }
    }

    #[test]
    fn dates_and_words_are_text() {
        for text in [
            "two",
            "2020-01-05",
            "05.01.2020",
            "12:30",
            "1.2.3",
            "555-1234",
            "A/5 21171",
            "True",
            "x1",
        ] {
            assert_eq!(read(text), Field::Text, "{text}");
        }
    }
}
