-- Columns and tables have the names that the code uses.
ALTER TABLE tenant RENAME COLUMN adopted_at TO first_seen_at;
ALTER TABLE tenant RENAME COLUMN wanted_at TO recheck_requested_at;
ALTER TABLE alert RENAME COLUMN told_at TO notified_at;
ALTER TABLE alert RENAME COLUMN told_generation TO notified_generation;
ALTER TABLE alert RENAME COLUMN told_to TO notified_channels;
ALTER TABLE outage RENAME COLUMN told_at TO notified_at;
ALTER TABLE outage RENAME COLUMN told_to TO notified_channels;
ALTER TABLE fleet_shift RENAME COLUMN tell_at TO notify_at;
ALTER TABLE fleet_shift RENAME COLUMN told_at TO notified_at;
ALTER TABLE delivery RENAME COLUMN carrier TO merged_into;
ALTER TABLE channel RENAME COLUMN rest_from TO cooldown_from;
ALTER TABLE channel RENAME COLUMN rest_until TO cooldown_until;
ALTER TABLE away RENAME TO downtime;
DROP INDEX tenant_wanted;
CREATE INDEX tenant_recheck ON tenant (recheck_requested_at) WHERE recheck_requested_at IS NOT NULL;
DROP INDEX delivery_carried;
CREATE INDEX delivery_merged ON delivery (merged_into) WHERE merged_into IS NOT NULL;
DROP INDEX delivery_told;
CREATE INDEX delivery_settled ON delivery (alert_key, channel, id)
    WHERE alert_key IS NOT NULL AND finished_at IS NOT NULL AND state <> 'suppressed';
