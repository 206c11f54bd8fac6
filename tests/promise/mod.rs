//! The promises, each on the real binary.

mod accepted;
mod blind;
mod broken_connections;
#[cfg(feature = "crash-points")]
mod broken_parts;
mod clock_jumps;
mod crash;
mod credential;
mod daily_record;
mod drill;
mod exit_codes;
mod explained;
mod flapping;
mod fleet_shift;
mod hostile_names;
mod import;
mod in_chat;
mod isolation_hanging_channels;
mod isolation_secrets;
mod isolation_slow_tenant;
mod listings;
mod notified_once;
mod online;
mod order_per_alert;
mod outage_is_one_message;
mod pfx;
mod reason;
mod receiver_down;
mod rechecked;
mod reload;
mod reminded;
mod replaced;
mod report;
mod retry_after;
mod secret_stores;
mod secrets_stay_secret;
mod shutdown;
mod silenced;
mod store_files;
#[cfg(feature = "crash-points")]
mod suspended;
mod time_zones;
mod trusted_rules;
mod two_processes;
mod watchdog;
