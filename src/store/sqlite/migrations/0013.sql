-- States and types have the names that people know.
UPDATE delivery SET state = 'merged' WHERE state = 'carried';
UPDATE delivery SET state = 'suppressed' WHERE state = 'withheld';
DROP INDEX delivery_told;
CREATE INDEX delivery_told ON delivery (alert_key, channel, id)
    WHERE alert_key IS NOT NULL AND finished_at IS NOT NULL AND state <> 'suppressed';
ALTER TABLE delivery RENAME COLUMN possible_repeat TO possible_duplicate;
UPDATE notification SET type = 'operator.downtime', body = json_set(body, '$.type', 'operator.downtime')
    WHERE type = 'operator.away';
