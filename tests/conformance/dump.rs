//! What the property test made, kept for the parsers of others.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use meterbridge::exposition::{Format, Syntax};

/// A file for each format, with one exposition behind the other: a line `LENGTH<tab>CONTENT TYPE<tab>WHAT`, and so many bytes.
/// None is in it twice.
pub struct Dump {
    folder: PathBuf,
    files: Vec<(Syntax, BufWriter<File>)>,
    seen: HashSet<(&'static str, Vec<u8>)>,
}

impl Dump {
    /// Into the folder that METERBRIDGE_DUMP names, if it does.
    pub fn asked_for() -> Option<Self> {
        let folder = PathBuf::from(std::env::var_os("METERBRIDGE_DUMP")?);
        fs::create_dir_all(&folder).unwrap();
        Some(Self {
            folder,
            files: Vec::new(),
            seen: HashSet::new(),
        })
    }

    pub fn keep(&mut self, format: Format, exposition: &[u8]) {
        if !self.seen.insert((format.content_type(), exposition.to_vec())) {
            return;
        }
        let head = format!("{}\t{}\t{:?}\n", exposition.len(), format.content_type(), format.style);
        let file = file(&mut self.files, &self.folder, format.syntax);
        file.write_all(head.as_bytes()).unwrap();
        file.write_all(exposition).unwrap();
    }
}

fn file<'f>(files: &'f mut Vec<(Syntax, BufWriter<File>)>, folder: &Path, syntax: Syntax) -> &'f mut BufWriter<File> {
    let at = files.iter().position(|(of, _)| *of == syntax).unwrap_or_else(|| {
        let name = match syntax {
            Syntax::Text => "text",
            Syntax::Text1 => "text1",
            Syntax::OpenMetrics => "openmetrics",
            Syntax::OpenMetrics2 => "openmetrics2",
            Syntax::Protobuf => "protobuf",
        };
        files.push((syntax, BufWriter::new(File::create(folder.join(name)).unwrap())));
        files.len() - 1
    });
    &mut files[at].1
}
