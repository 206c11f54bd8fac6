//! A real mail server, Exim, on loopback ports of its own: it keeps what it takes and delivers nothing.

use std::{
    fmt::Write as _,
    fs,
    net::{SocketAddr, TcpListener},
    os::{fd::OwnedFd, unix::fs::PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// The one who may sign in, and the password.
pub(super) const USER: &str = "scores";
pub(super) const PASSWORD: &str = "canary-7Q4M2K";

/// A running server with two ports; dropping it kills it.
pub(super) struct Exim {
    folder: TempDir,
    daemons: Vec<Child>,
    /// Where it offers STARTTLS.
    pub(super) open: SocketAddr,
    /// Where it begins with TLS.
    pub(super) private: SocketAddr,
}

impl Exim {
    /// Starts the mail server.
    pub(super) fn start() -> Self {
        let output = |program: &str, argument: &str| Command::new(program).arg(argument).output().ok();
        let is_there = output("exim4", "-bV").is_some_and(|output| output.status.success());
        let is_root = output("id", "-u").is_some_and(|output| output.stdout == b"0\n");
        assert!(is_there && is_root, "this takes root, and Debian's exim4-daemon-light");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        certify(path);
        fs::write(path.join("exim.conf"), configuration(path)).unwrap();
        for name in ["spool", "log"] {
            fs::create_dir(path.join(name)).unwrap();
            assert!(Command::new("chown").arg("Debian-exim:").arg(path.join(name)).status().unwrap().success());
        }
        let (open, plainly) = daemon(path, &[]);
        let (private, privately) = daemon(path, &["-tls-on-connect"]);
        Self { folder, daemons: vec![plainly, privately], open, private }
    }

    /// The certificate of the authority that vouches for the server, which is `localhost`.
    pub(super) fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// Takes a mailbox off the grey list.
    pub(super) fn know(&self) {
        fs::write(self.folder.path().join("known"), "").unwrap();
    }

    /// The ids of the messages that it took.
    pub(super) fn taken(&self) -> Vec<String> {
        let Ok(files) = fs::read_dir(self.folder.path().join("spool/input")) else { return Vec::new() };
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut ids: Vec<String> = names.filter_map(|name| name.strip_suffix("-H").map(str::to_owned)).collect();
        ids.sort();
        ids
    }

    /// A message as it would go on.
    pub(super) fn stored(&self, id: &str) -> String {
        let output = exim(self.folder.path()).args(["-Mvc", id]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The log of the mail server.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log/mainlog")).unwrap_or_default()
    }
}

impl Drop for Exim {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn exim(folder: &Path) -> Command {
    let mut command = Command::new("exim4");
    command.arg("-C").arg(folder.join("exim.conf")).stderr(Stdio::null());
    command
}

/// It is given its listening socket, so that the port is open before it runs.
fn daemon(folder: &Path, arguments: &[&str]) -> (SocketAddr, Child) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut command = exim(folder);
    command.arg("-bw").args(arguments).stdin(Stdio::from(OwnedFd::from(listener))).stdout(Stdio::null());
    (address, command.spawn().unwrap())
}

fn certify(folder: &Path) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    fs::write(folder.join("authority.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    fs::write(folder.join("server.pem"), server.pem()).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

/// Takes mail for `soc`, `lead` and, once it is known, `greylisted`; has no `nobody`, and passes nothing on.
fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    let mut text = format!(
        "primary_hostname = mail.example\n\
         spool_directory = {folder}/spool\n\
         log_file_path = {folder}/log/%slog\n\
         pid_file_path =\n\
         keep_environment =\n\
         queue_only = true\n\
         tls_advertise_hosts = *\n\
         tls_certificate = {folder}/server.pem\n\
         tls_privatekey = {folder}/key.pem\n\
         auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}\n\
         acl_smtp_rcpt = recipient\n\
         begin acl\n\
         recipient:\n\
         defer local_parts = greylisted\n condition = ${{if exists{{{folder}/known}}{{0}}{{1}}}}\n message = 450 4.7.1 later\n\
         deny local_parts = nobody\n message = 550 5.1.1 no such user\n\
         accept local_parts = soc : lead : greylisted\n\
         deny message = 550 5.7.1 no relaying\n\
         begin authenticators\n"
    );
    let right = |name, password| format!("${{if and{{{{eq{{{name}}}{{{USER}}}}}{{eq{{{password}}}{{{PASSWORD}}}}}}}}}");
    let _ = writeln!(
        text,
        "plain:\n driver = plaintext\n public_name = PLAIN\n server_set_id = $auth2\n server_condition = {}",
        right("$auth2", "$auth3")
    );
    text
}
