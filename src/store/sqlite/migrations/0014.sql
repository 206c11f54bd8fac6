-- What the queue knows of a notification stands beside its body, and is never looked for in it.

-- When what it tells of happened.
ALTER TABLE notification ADD COLUMN said_at INTEGER NOT NULL DEFAULT 0;
-- When the firing that it tells of began; null: it is about no alert.
ALTER TABLE notification ADD COLUMN began_at INTEGER;
-- Its number within the firing.
ALTER TABLE notification ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
-- Whether it says that the alert is over, and why it is.
ALTER TABLE notification ADD COLUMN is_over INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notification ADD COLUMN resolution TEXT;
-- When the value that it tells of was observed.
ALTER TABLE notification ADD COLUMN observed_at INTEGER;
ALTER TABLE notification ADD COLUMN severity TEXT;
ALTER TABLE notification ADD COLUMN loss_percent REAL;
ALTER TABLE notification ADD COLUMN is_operator INTEGER NOT NULL DEFAULT 0;
-- The number of the newest notification of this firing that was taken back: what it told of was over before anybody was notified.
ALTER TABLE alert ADD COLUMN taken_back INTEGER NOT NULL DEFAULT 0;

-- Of earlier rows, the body says it. Its instants are texts in UTC with up to nine fraction digits after the nineteenth character.
-- A body that can't be read says nothing.
UPDATE notification SET said_at = at;
WITH told AS (
    SELECT id, body ->> '$.timestamp' AS said, body ->> '$.data.alert.started_at' AS began,
        body ->> '$.data.score.observed_at' AS observed
    FROM notification WHERE json_valid(body)
)
UPDATE notification SET
    said_at = coalesce(CAST(strftime('%s', substr(told.said, 1, 19)) AS INTEGER) * 1000000000
        + CAST(substr(substr(rtrim(told.said, 'Z'), 21) || '000000000', 1, 9) AS INTEGER), at),
    began_at = CAST(strftime('%s', substr(told.began, 1, 19)) AS INTEGER) * 1000000000
        + CAST(substr(substr(rtrim(told.began, 'Z'), 21) || '000000000', 1, 9) AS INTEGER),
    observed_at = CAST(strftime('%s', substr(told.observed, 1, 19)) AS INTEGER) * 1000000000
        + CAST(substr(substr(rtrim(told.observed, 'Z'), 21) || '000000000', 1, 9) AS INTEGER)
FROM told WHERE told.id = notification.id;
UPDATE notification SET
    sequence = coalesce(CAST(body ->> '$.data.notification.sequence' AS INTEGER), 0),
    is_over = body ->> '$.data.alert.resolved_at' IS NOT NULL,
    resolution = body ->> '$.data.alert.resolution',
    severity = body ->> '$.data.alert.severity',
    loss_percent = CAST(body ->> '$.data.score.loss_percent' AS REAL),
    is_operator = body ->> '$.data.operator.class' IS NOT NULL
WHERE json_valid(body);
UPDATE alert SET taken_back = coalesce(CAST(body ->> '$.state.taken_back' AS INTEGER), 0) WHERE json_valid(body);
