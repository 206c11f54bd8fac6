//! A real PostgreSQL server in a folder of its own, one for each test process, with a database for each test.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use scorewatch::store::postgres::{PostgresSettings, TlsMode};
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};

use super::wait::PATIENCE;

/// Where Debian keeps each version's programs.
const PROGRAMS: &str = "/usr/lib/postgresql";
/// What runs a cluster; Debian's Python is the one that Patroni is installed for.
const CLUSTER_PROGRAMS: [&str; 4] = ["/usr/bin/python3", "/usr/bin/patroni", "/usr/bin/etcd", "/usr/sbin/haproxy"];
/// The oldest version that works.
const VERSION_MIN: u32 = 15;
/// The role as which everything is done.
pub(super) const ROLE: &str = "scorewatch";

/// The role of a database that is not open to everybody.
const GUARDED: &str = "guarded";

/// The server of this process.
pub(crate) struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    /// Stops the server when this process ends: then its standard input does.
    keeper: Mutex<Child>,
}

static SERVER: OnceLock<Postgres> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

impl Postgres {
    /// The server, which is started the first time. A test that needs it is ignored unless it is requested, so it fails where
    /// PostgreSQL is missing.
    pub(crate) fn shared() -> &'static Self {
        SERVER.get_or_init(Self::apart)
    }

    /// Another server, for a test that stops it.
    pub(crate) fn apart() -> Self {
        Self::start(&programs(), None)
    }

    /// Ends it as a crash does: nothing is written down first.
    pub(crate) fn crash(&self) {
        self.control(&["--mode", "immediate", "stop"]);
    }

    /// Kills its first process alone, and starts it again once those that serve connections have noticed that and are gone.
    pub(crate) fn kill_and_start(&self) {
        let lock = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let first = lock.lines().next().unwrap();
        assert!(Command::new("kill").args(["-KILL", first]).status().unwrap().success());
        let began = Instant::now();
        // It refuses to start beside one of them.
        while !self.controls(&["--log", "log", "start"]) {
            assert!(began.elapsed() < PATIENCE, "it never starts again; see {}/log", self.folder.display());
        }
    }

    /// Starts it again after [`Self::crash`].
    pub(crate) fn start_again(&self) {
        self.control(&["--log", "log", "start"]);
    }

    /// Starts it again on another timeline, as a standby does that takes over.
    pub(crate) fn take_over(&self) {
        fs::write(self.folder.join("data/recovery.signal"), "").unwrap();
        self.control(&["--log", "log", "--options", "-c restore_command=false -c hot_standby=off", "start"]);
        // It is started before it has taken over.
        let mut answers = Command::new(self.programs.join("pg_isready"));
        answers.arg("--quiet").arg("--host").arg(&self.folder);
        let began = Instant::now();
        while !answers.status().unwrap().success() {
            assert!(began.elapsed() < PATIENCE, "it never takes over; see {}/log", self.folder.display());
        }
    }

    /// A copy of it as it is now, which follows it by way of that folder's socket.
    pub(crate) fn standby(&self, by: &Path) -> Self {
        Self::start(&self.programs, Some(by))
    }

    /// Lets a standby take over, whatever has become of the server that it follows.
    pub(crate) fn promote(&self) {
        self.control(&["promote"]);
    }

    fn control(&self, arguments: &[&str]) {
        assert!(self.controls(arguments), "pg_ctl {arguments:?}; see {}/log", self.folder.display());
    }

    fn controls(&self, arguments: &[&str]) -> bool {
        let mut command = as_its_user(&Command::new(self.programs.join("pg_ctl")));
        command.args(["--silent", "--wait", "--pgdata", "data"]).args(arguments).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    }

    fn start(programs: &Path, primary: Option<&Path>) -> Self {
        let script = fs::read_to_string("tests/harness/postgres.sh").unwrap();
        let mut command = as_its_user(&Command::new("sh"));
        command.args(["-c", &script, "sh"]).arg(programs).arg(ROLE).args(primary);
        Self::keep(programs, command)
    }

    /// Three servers run by Patroni, in synchronous mode, reached by way of `HAProxy`.
    pub(crate) fn cluster() -> Self {
        let missing: Vec<_> = CLUSTER_PROGRAMS.iter().filter(|path| !Path::new(path).exists()).collect();
        assert!(missing.is_empty(), "a cluster takes {missing:?}");
        let programs = programs();
        let script = fs::read_to_string("tests/harness/patroni.py").unwrap();
        let mut command = as_its_user(&Command::new(CLUSTER_PROGRAMS[0]));
        command.args(["-c", &script]).arg(&programs).arg(ROLE);
        Self::keep(&programs, command)
    }

    /// Kills the primary of a cluster, alone or with its Patroni. Returns how many seconds there was none, once all are back.
    pub(crate) fn kill_primary(&self, with_patroni: bool) -> f64 {
        let mut keeper = self.keeper.lock().unwrap();
        let what = if with_patroni { "all" } else { "postmaster" };
        writeln!(keeper.stdin.as_mut().unwrap(), "{what}").unwrap();
        read_line(&mut keeper).parse().unwrap()
    }

    /// Runs a script that prints the folder of its server.
    fn keep(programs: &Path, mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut keeper = command.spawn().unwrap();
        let folder = read_line(&mut keeper).into();
        Self { programs: programs.to_owned(), folder, keeper: Mutex::new(keeper) }
    }

    /// A new database, and how it is reached.
    pub(crate) async fn database(&self) -> PostgresSettings {
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let mut connection = self.connect("postgres").await;
        let create = format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0");
        sqlx::query(AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
        PostgresSettings {
            host: self.folder.display().to_string(),
            port: 5432,
            user: ROLE.to_owned(),
            password: None,
            database: name,
            tls: TlsMode::Disable,
            root_certificates: None,
        }
    }

    /// A new database, the role of which gets in with a password only; [`Self::change_password`] says with which. For a server that nobody
    /// else uses.
    pub(crate) async fn guarded(&self) -> PostgresSettings {
        let file = self.folder.join("data/pg_hba.conf");
        let rules = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("local all {GUARDED} scram-sha-256\n{rules}")).unwrap();
        self.crash();
        self.start_again();
        let database = self.database().await;
        self.run(&database, &format!("CREATE ROLE {GUARDED} LOGIN")).await;
        self.run(&database, &format!("ALTER DATABASE {} OWNER TO {GUARDED}", database.database)).await;
        PostgresSettings { user: GUARDED.to_owned(), ..database }
    }

    /// Changes the password of the role of a guarded database.
    pub(crate) async fn change_password(&self, database: &PostgresSettings, password: &str) {
        self.run(database, &format!("ALTER ROLE {GUARDED} PASSWORD '{password}'")).await;
    }

    /// A new database on the shared server.
    pub(crate) async fn shared_database() -> (&'static Self, PostgresSettings) {
        let server = Self::shared();
        (server, server.database().await)
    }

    /// Runs statements in a database, beside the store.
    pub(crate) async fn run(&self, database: &PostgresSettings, sql: &str) {
        let mut connection = self.connect(&database.database).await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Runs statements as the role that the settings name.
    pub(crate) async fn run_as(&self, settings: &PostgresSettings, sql: &str) -> Result<(), sqlx::Error> {
        let options = PgConnectOptions::new_without_pgpass().socket(&self.folder).username(&settings.user);
        let mut connection = PgConnection::connect_with(&options.database(&settings.database)).await?;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
        connection.close().await
    }

    /// Ends every connection to a database, as an administrator or a restart of the server does.
    pub(crate) async fn cut(&self, database: &PostgresSettings) {
        let sql =
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()";
        let mut connection = self.connect("postgres").await;
        sqlx::query(sql).bind(&database.database).execute(&mut connection).await.unwrap();
    }

    /// The folder of its socket.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// How a configuration names a database.
    pub(crate) fn address(database: &PostgresSettings) -> String {
        let PostgresSettings { host, user, database, .. } = database;
        format!("postgres://{user}@{}/{database}", host.replace('/', "%2F"))
    }

    /// A connection beside the store, for what only the inside shows.
    pub(crate) async fn connect(&self, database: &str) -> PgConnection {
        let options = PgConnectOptions::new_without_pgpass().socket(&self.folder).username(ROLE).database(database);
        PgConnection::connect_with(&options).await.unwrap()
    }
}

/// What the script says next, which says nothing that is not waited for.
fn read_line(keeper: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(keeper.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.ends_with('\n'), "PostgreSQL does not work; see the newest /tmp/scorewatch-p*/");
    line.trim_end().to_owned()
}

/// The programs that `SCOREWATCH_POSTGRES_BIN` names the folder of, otherwise those of the newest version that is installed.
fn programs() -> PathBuf {
    if let Some(named) = std::env::var_os("SCOREWATCH_POSTGRES_BIN").filter(|named| !named.is_empty()) {
        let named = PathBuf::from(named);
        for program in ["initdb", "pg_ctl", "pg_isready"] {
            assert!(named.join(program).exists(), "SCOREWATCH_POSTGRES_BIN: {} has no {program}", named.display());
        }
        return named;
    }
    let versions = fs::read_dir(PROGRAMS).into_iter().flatten();
    let versions = versions.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let newest = versions.filter(|version| *version >= VERSION_MIN).max();
    let programs = newest.map(|version| Path::new(PROGRAMS).join(version.to_string()).join("bin"));
    let programs = programs.filter(|programs| programs.join("initdb").exists());
    programs.unwrap_or_else(|| panic!("PostgreSQL {VERSION_MIN} or newer is not installed in {PROGRAMS}"))
}

/// PostgreSQL refuses to run as root; Debian has a user for it.
pub(super) fn as_its_user(command: &Command) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(command.get_program());
    }
    let mut other = Command::new("setpriv");
    other.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(command.get_program());
    other
}
