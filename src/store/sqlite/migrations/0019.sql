-- How many of its rule's escalation steps the firing of an alert has taken: whom it is sent to follows from it.
ALTER TABLE alert ADD COLUMN escalated INTEGER NOT NULL DEFAULT 0;
