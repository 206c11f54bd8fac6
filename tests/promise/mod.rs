//! The promises, each on the real binary.

mod blind;
mod crash;
mod daily_record;
mod exit_codes;
mod in_chat;
mod isolation_slow_tenant;
mod order_per_alert;
mod receiver_down;
mod reload;
mod reminded;
mod secrets_stay_secret;
mod shutdown;
mod told_once;
mod two_processes;
