//! The promises, each on the real binary.

mod blind;
mod broken_connections;
mod clock_jumps;
mod crash;
mod credential;
mod daily_record;
mod drill;
mod exit_codes;
mod in_chat;
mod isolation_hanging_channels;
mod isolation_slow_tenant;
mod online;
mod order_per_alert;
mod pfx;
mod receiver_down;
mod reload;
mod reminded;
mod retry_after;
mod secret_stores;
mod secrets_stay_secret;
mod shutdown;
mod silenced;
mod told_once;
mod trusted_rules;
mod two_processes;
