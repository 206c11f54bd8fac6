//! A real `PgBouncer` in front of a server.

use std::{
    fs,
    os::unix::net::UnixStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use super::{
    postgres::{Postgres, ROLE, as_its_user},
    wait::PATIENCE,
};

/// Where Debian puts it.
const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// A pooler that runs until this is dropped.
pub(crate) struct Pooler {
    folder: tempfile::TempDir,
    process: Child,
}

impl Pooler {
    /// Starts one in that mode, which passes over these settings of connections.
    pub(crate) fn start(server: &Postgres, mode: &str, ignored: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("scorewatch-pooler-").tempdir_in("/tmp").unwrap();
        let path = folder.path();
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        fs::write(path.join("users"), format!("\"{ROLE}\" \"\"\n")).unwrap();
        let settings = format!(
            "[databases]\n* = host={}\n[pgbouncer]\nlisten_addr =\nlisten_port = 5432\nunix_socket_dir = {}\nauth_type = trust\n\
             auth_file = {}\npool_mode = {mode}\nignore_startup_parameters = {ignored}\nlogfile =\npidfile =\n",
            server.folder().display(),
            path.display(),
            path.join("users").display()
        );
        let file = path.join("settings.ini");
        fs::write(&file, settings).unwrap();
        let mut command = as_its_user(&Command::new(PROGRAM));
        command.arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let began = Instant::now();
        while UnixStream::connect(path.join(".s.PGSQL.5432")).is_err() {
            assert!(began.elapsed() < PATIENCE, "PgBouncer never listens");
            assert!(process.try_wait().unwrap().is_none(), "PgBouncer ended: run `pgbouncer {}`", file.display());
        }
        Self { folder, process }
    }

    /// The folder of its socket.
    pub(crate) fn host(&self) -> String {
        let path: &Path = self.folder.path();
        path.display().to_string()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
