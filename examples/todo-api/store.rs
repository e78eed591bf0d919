//! The list, in a file.

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

/// Ids and the entries as JSON.
const TODOS: TableDefinition<u64, &str> = TableDefinition::new("todos");
/// The id that was given last. The largest in the list will not do: it may be gone, and no id is given twice.
const LAST: TableDefinition<(), u64> = TableDefinition::new("last");

pub struct Store(Database);

impl Store {
    pub fn open(path: impl AsRef<Path>) -> Result<Self, redb::Error> {
        let database = Database::create(path)?;
        let transaction = database.begin_write()?;
        // Made now, so that those who only read find it.
        transaction.open_table(TODOS)?;
        transaction.commit()?;
        Ok(Self(database))
    }

    /// Adds an entry and gives its id.
    pub fn add(&self, entry: &str) -> Result<u64, redb::Error> {
        let transaction = self.0.begin_write()?;
        let id = {
            let mut last = transaction.open_table(LAST)?;
            let id = last.get(())?.map_or(0, |id| id.value()) + 1;
            last.insert((), id)?;
            transaction.open_table(TODOS)?.insert(id, entry)?;
            id
        };
        transaction.commit()?;
        Ok(id)
    }

    pub fn get(&self, id: u64) -> Result<Option<String>, redb::Error> {
        let table = self.0.begin_read()?.open_table(TODOS)?;
        Ok(table.get(id)?.map(|entry| entry.value().to_owned()))
    }

    /// At most `number` entries with an id above `after`.
    pub fn list(&self, after: u64, number: usize) -> Result<Vec<(u64, String)>, redb::Error> {
        let table = self.0.begin_read()?.open_table(TODOS)?;
        let entries = table.range(after.saturating_add(1)..)?.take(number);
        let mut list = Vec::new();
        for entry in entries {
            let (id, entry) = entry?;
            list.push((id.value(), entry.value().to_owned()));
        }
        Ok(list)
    }

    /// Replaces an entry; false where there is none of that id.
    pub fn replace(&self, id: u64, entry: &str) -> Result<bool, redb::Error> {
        let transaction = self.0.begin_write()?;
        let is_there = {
            let mut table = transaction.open_table(TODOS)?;
            let is_there = table.get(id)?.is_some();
            if is_there {
                table.insert(id, entry)?;
            }
            is_there
        };
        transaction.commit()?;
        Ok(is_there)
    }

    /// Removes an entry; false where there is none of that id.
    pub fn remove(&self, id: u64) -> Result<bool, redb::Error> {
        let transaction = self.0.begin_write()?;
        let was_there = transaction.open_table(TODOS)?.remove(id)?.is_some();
        transaction.commit()?;
        Ok(was_there)
    }
}
