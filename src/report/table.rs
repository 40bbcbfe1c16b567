use comfy_table::{CellAlignment, Table, TableStyle};

/// Aligned columns without borders, as network CLIs print them.
pub(super) struct Columns {
    table: Table,
}

impl Columns {
    /// A heading per column.
    pub(super) fn new<const N: usize>(headings: [&str; N]) -> Self {
        let mut table = Table::new();
        table.load_style(TableStyle::new()).set_header(headings);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        Self { table }
    }

    /// Numbers stand to the right.
    pub(super) fn right<const N: usize>(mut self, columns: [usize; N]) -> Self {
        for index in columns {
            if let Some(column) = self.table.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        self
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.table.add_row(cells);
    }

    /// The text, or `empty` where there is no row.
    pub(super) fn text(&self, empty: &str) -> String {
        if self.table.row_count() == 0 {
            return empty.to_owned();
        }
        self.table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }
}

/// `-` for what is not there.
pub(super) fn or_dash<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "-".to_owned(), T::to_string)
}

/// By its usual name.
pub(super) fn protocol(number: u8) -> String {
    match number {
        1 => "ICMP".to_owned(),
        6 => "TCP".to_owned(),
        17 => "UDP".to_owned(),
        58 => "ICMPv6".to_owned(),
        132 => "SCTP".to_owned(),
        other => other.to_string(),
    }
}

/// `80`, `80-443`, or `-` for all.
pub(super) fn ports(range: Option<(u16, u16)>) -> String {
    match range {
        None => "-".to_owned(),
        Some((first, last)) if first == last => first.to_string(),
        Some((first, last)) => format!("{first}-{last}"),
    }
}

/// Members with blanks between them, `-` where there are none.
pub(super) fn listed<T: ToString>(members: &[T]) -> String {
    match members {
        [] => "-".to_owned(),
        members => members.iter().map(T::to_string).collect::<Vec<_>>().join(" "),
    }
}

/// `1d02h`, `3h04m`, `5m06s`, `7s`.
pub(super) fn duration(seconds: u64) -> String {
    match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, s) => format!("{s}s"),
        (0, 0, m, s) => format!("{m}m{s:02}s"),
        (0, h, m, _) => format!("{h}h{m:02}m"),
        (d, h, _, _) => format!("{d}d{h:02}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_in_other_routers() {
        assert_eq!(
            [7, 306, 11_040, 93_600].map(duration),
            ["7s", "5m06s", "3h04m", "1d02h"].map(str::to_owned)
        );
    }

    #[test]
    fn columns_are_aligned_and_lines_have_no_tail() {
        let mut columns = Columns::new(["name", "packets"]).right([1]);
        columns.row(["red".to_owned(), "7".to_owned()]);
        columns.row(["yellow".to_owned(), "12345".to_owned()]);
        let text = columns.text("none");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1].len(), lines[2].len());
        assert_eq!(Columns::new(["name"]).text("none"), "none");
    }
}
