//! Cluster files and state of one test, in a folder of its own.

use std::path::{Path, PathBuf};

/// A folder that goes when it is dropped.
pub struct Files(PathBuf);

impl Files {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("lvs-cluster-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where our programs keep their state.
    pub fn state(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A service of a cluster file with its servers and weights.
pub fn service(address: &str, settings: &str, servers: &[(&str, u32)]) -> String {
    let mut text = format!("[[service]]\naddress = \"{address}\"\n{settings}\n");
    for (server, weight) in servers {
        text += &format!("[[service.server]]\naddress = \"{server}\"\nweight = {weight}\n");
    }
    text
}
