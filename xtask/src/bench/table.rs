//! Results, and the table that shows them.

use std::fmt;

/// What one contender has told.
#[derive(Clone, Debug, PartialEq)]
struct Result {
    case: String,
    contender: String,
    seconds: f64,
    /// How much was done in that time, and its unit.
    amount: Option<(f64, String)>,
}

/// The results of a bench.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Table {
    results: Vec<Result>,
    /// Words below the table.
    notes: Vec<String>,
}

impl Table {
    /// Takes a line of a contender's output; false if it is not a result.
    pub(crate) fn take(&mut self, line: &str) -> bool {
        let fields: Vec<&str> = line.trim_end().split('\t').collect();
        let (case, contender, seconds, amount) = match fields[..] {
            [case, contender, seconds] => (case, contender, seconds, None),
            [case, contender, seconds, amount, unit] => (case, contender, seconds, Some((amount, unit))),
            _ => return false,
        };
        let amount = match amount {
            None => None,
            Some((number, unit)) => match number.parse() {
                Ok(number) => Some((number, unit.to_owned())),
                Err(_) => return false,
            },
        };
        let Ok(seconds) = seconds.parse() else { return false };
        self.results.push(Result { case: case.into(), contender: contender.into(), seconds, amount });
        true
    }

    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |text: fn(&Result) -> &str| self.results.iter().map(|r| text(r).chars().count()).max().unwrap_or(0);
        let (case_width, contender_width) = (width(|r| &r.case), width(|r| &r.contender));
        let mut cases: Vec<&str> = Vec::new();
        for result in &self.results {
            if !cases.contains(&result.case.as_str()) {
                cases.push(&result.case);
            }
        }
        for case in cases {
            let mut reference = None;
            for result in self.results.iter().filter(|r| r.case == case) {
                let name = if reference.is_none() { case } else { "" };
                write!(f, "  {name:<case_width$}  {:<contender_width$}", result.contender)?;
                write!(f, "  {:>10}", time(result.seconds))?;
                match reference {
                    None => write!(f, "  {:>8}", "")?,
                    Some(ours) => write!(f, "  {:>7.2}x", result.seconds / ours)?,
                }
                if let Some((amount, unit)) = &result.amount {
                    write!(f, "  {}", amount_text(*amount, unit, result.seconds))?;
                }
                writeln!(f)?;
                reference = reference.or(Some(result.seconds));
            }
        }
        for note in &self.notes {
            writeln!(f, "  {note}")?;
        }
        Ok(())
    }
}

fn time(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.3} s"),
        s if s >= 1e-3 => format!("{:.3} ms", s * 1e3),
        s if s >= 1e-6 => format!("{:.3} us", s * 1e6),
        s => format!("{:.2} ns", s * 1e9),
    }
}

/// System calls are counted; anything else is a rate.
fn amount_text(amount: f64, unit: &str, seconds: f64) -> String {
    if unit == "calls" {
        return format!("{amount:.0} system calls");
    }
    let rate = amount / seconds;
    let (rate, prefix) = match rate {
        r if r >= 1e9 => (r / 1e9, "G"),
        r if r >= 1e6 => (r / 1e6, "M"),
        r if r >= 1e3 => (r / 1e3, "k"),
        r => (r, ""),
    };
    let unit = match unit {
        "bytes" => "B",
        other => other,
    };
    format!("{rate:.2} {prefix}{}{unit}/s", if unit == "B" { "" } else { " " })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_compared_with_the_first_of_their_case() {
        let mut table = Table::default();
        for line in ["a\tours\t0.25\t11000\trules", "a\tpeer\t0.5", "b\tours\t0.000002\t44\tcalls", "a\tslow\t2.5"] {
            assert!(table.take(line), "{line}");
        }
        table.note("in a quiet hour");
        assert_eq!(
            table.to_string(),
            "  a  ours  250.000 ms            44.00 k rules/s\n\
             \u{20}    peer  500.000 ms     2.00x\n\
             \u{20}    slow     2.500 s    10.00x\n\
             \u{20} b  ours    2.000 us            44 system calls\n\
             \u{20} in a quiet hour\n"
        );
    }

    #[test]
    fn other_lines_are_not_results() {
        let mut table = Table::default();
        for line in ["", "a b c", "a\tb\tc", "a\tb", "a\tb\t1\t2", "a\tb\t1\tx\ty"] {
            assert!(!table.take(line), "{line}");
        }
        assert_eq!(table, Table::default());
    }
}
