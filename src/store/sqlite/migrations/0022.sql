-- Several services share a PostgreSQL database only; the number is taken here, too, so that both count alike.
SELECT 1;
