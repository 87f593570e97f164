use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::store::row::Columns;
use crate::store::{Result, StoreError};

impl Columns for PgRow {
    fn text(&self, column: &str) -> Result<String> {
        Ok(self.try_get(column)?)
    }

    fn optional_text(&self, column: &str) -> Result<Option<String>> {
        Ok(self.try_get(column)?)
    }

    fn texts(&self, column: &str) -> Result<Vec<String>> {
        Ok(self.try_get(column)?)
    }

    fn flag(&self, column: &str) -> Result<bool> {
        Ok(self.try_get(column)?)
    }

    fn count(&self, column: &str) -> Result<u32> {
        let count: i32 = self.try_get(column)?;
        u32::try_from(count).map_err(StoreError::database)
    }

    fn optional_micros(&self, column: &str) -> Result<Option<i64>> {
        Ok(self.try_get(column)?)
    }

    fn optional_json<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>> {
        // Unchecked only as to the column's type: `json` comes as its text.
        let text: Option<&str> = self.try_get_unchecked(column)?;
        text.map(|text| serde_json::from_str(text).map_err(StoreError::database)).transpose()
    }
}
