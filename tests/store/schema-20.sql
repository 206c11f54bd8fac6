-- Rows as the service wrote them to the first schema of PostgreSQL (20): a tenant, a score, an alert, and a message of it for two channels.

INSERT INTO tenant (tenant, version, first_seen_at, next_due_at, checked_at, rolled_day, entra, name, id_key)
VALUES ('consolidated', 47, 1793598994033935116, 1796277405000000000, 1796277404272281744, 20790, '2f1c0a5e-0000-4000-8000-000000000015', 'Consolidated Messenger', '2f1c0a5e-0000-4000-8000-000000000015 1793598994033935116');

INSERT INTO series (tenant_id, score, subject, last_data_at, keep, archived_through, recent, newest_at, onboarded_at)
VALUES ((SELECT id FROM tenant), 'secure-score', '', 1796277404272281744, 172800000000000, 1796169600000000000, '\x038180d0b7bcc9a9d963fd2d64e0bac64c408180f0a9a4ca4ecae5876e74c44c408180f0a9a4ca4e8922af01e9a24c40', 1796169600000000000, 1793577600000000000);

INSERT INTO alert (key, tenant_id, rule, score, state, body, generation, changed_at, last_notification, notified_at, notified_generation, notified_channels, taken_back, escalated)
VALUES ('{"tenant":"consolidated","rule":"exposure-rise","score":"exposure-score","subject":null}', (SELECT id FROM tenant), 'exposure-rise', 'exposure-score', 'firing', '{"state":{"state":"firing","since":"2026-12-03T05:56:39.263193Z","fired_at":"2026-12-03T05:56:39.263193Z","terms":{"when":{"rise":{"size":{"points":10.0},"within":{"secs":86400,"nanos":0},"from":"best"}}},"baseline":45.7,"worst_notified":61.0,"worst_notified_at":"2026-12-03T05:56:39.263193Z","worst_seen":61.0},"generation":1,"sequence":1,"flapping":{"changes":["2026-12-03T05:56:39.268026453Z"]}}', 1, 1796277399268026453, 'msg_1EMNBH0AP4XBT5SHKFK5G376TS', 1796277399608319969, 1, '["soc"]', 0, 0);

INSERT INTO notification (id, type, tenant, alert_key, at, body, said_at, began_at, sequence, is_over, observed_at, severity, loss_percent, is_operator)
VALUES ('msg_1EMNBH0AP4XBT5SHKFK5G376TS', 'alert.firing', 'consolidated', '{"tenant":"consolidated","rule":"exposure-rise","score":"exposure-score","subject":null}', 1796277399268026453, '{"type":"alert.firing","timestamp":"2026-12-03T05:56:39.263193Z","data":{"notification":{"id":"msg_1EMNBH0AP4XBT5SHKFK5G376TS","short_id":"1EMNBH","sequence":1,"test":false,"possible_duplicate":false,"covers":[]},"alert":{"id":"alert_59NNA12NDC24DX4CPYBQ1YN6D8","state":"firing","severity":"warning","started_at":"2026-12-03T05:56:39.263193Z","resolved_at":null,"reason":null},"tenant":{"id":"consolidated","tenant_id":"2f1c0a5e-0000-4000-8000-000000000015","name":"Consolidated Messenger","labels":{"country":"de","tier":"gold"}},"rule":{"name":"exposure-rise","condition":"rise 10pts within 24h","about":"More weaknesses are exposed."},"score":{"kind":"exposure-score","subject":null,"unit":"points-of-100","value":61.0,"baseline":45.7,"loss":15.299999999999997,"loss_percent":33.47921225382932,"observed_at":"2026-12-03T05:56:39.263193Z"},"explanation":"There is no earlier list of recommendations to compare with; those with the largest impact may have contributed.","why":{"kind":"recommendations","shown":"no-earlier-list","since":null,"is_part":false,"is_complete":true},"links":{"dashboard":null,"portal":"https://security.microsoft.com/tvm_dashboard?tid=2f1c0a5e-0000-4000-8000-000000000015"},"causes":[]}}', 1796277399263193000, 1796277399263193000, 1, 0, 1796277399263193000, 'warning', 33.47921225382932, 0);

INSERT INTO delivery (notification_id, channel, alert_key, tenant, state, queued_at, next_attempt_at, attempts, finished_at)
VALUES ('msg_1EMNBH0AP4XBT5SHKFK5G376TS', 'soc', '{"tenant":"consolidated","rule":"exposure-rise","score":"exposure-score","subject":null}', 'consolidated', 'delivered', 1796277399268026453, 1796277399268026453, 1, 1796277399608319969);

INSERT INTO delivery (notification_id, channel, alert_key, tenant, state, queued_at, next_attempt_at)
VALUES ('msg_1EMNBH0AP4XBT5SHKFK5G376TS', 'soc-mail', '{"tenant":"consolidated","rule":"exposure-rise","score":"exposure-score","subject":null}', 'consolidated', 'queued', 1796277399268026453, 1796277399268026453);

INSERT INTO attempt (delivery_id, number, started_at, finished_at, outcome)
SELECT id, 1, queued_at, finished_at, 'delivered' FROM delivery WHERE state = 'delivered';
