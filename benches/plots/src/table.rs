use std::path::Path;
use std::{fs, io};

/// Comma-separated values; the first row names the columns.
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn read(file: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(file)?;
        let mut rows = text.lines().map(|line| line.split(',').map(str::to_owned).collect());
        Ok(Self { columns: rows.next().unwrap_or_default(), rows: rows.collect() })
    }

    /// The rows that have these values.
    pub fn matching(&self, wanted: &[(&str, &str)]) -> Self {
        let fits =
            |row: &&Vec<String>| wanted.iter().all(|(column, value)| row[self.place(column)] == *value);
        Self { columns: self.columns.clone(), rows: self.rows.iter().filter(fits).cloned().collect() }
    }

    /// Two columns, the second one scaled to another unit.
    pub fn points(&self, x: &str, y: &str, factor: f64) -> Vec<(f64, f64)> {
        self.rows.iter().map(|row| (self.number(row, x), self.number(row, y) * factor)).collect()
    }

    fn number(&self, row: &[String], column: &str) -> f64 {
        row[self.place(column)].parse().expect("a number")
    }

    fn place(&self, column: &str) -> usize {
        self.columns.iter().position(|name| name == column).expect("a column of the table")
    }
}
