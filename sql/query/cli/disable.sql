-- No login is good for the account from now on, nor the streams that are open; and
-- its jobs that have not ended, which are to be cancelled.
WITH changed AS (
	UPDATE account
	   SET state = 'disabled'
	 WHERE id = $1::bigint
	RETURNING id
)
SELECT j.id AS job,
       pg_notify('event', changed.id::text)
  FROM changed
  LEFT JOIN job j
    ON j.account_id = changed.id
   AND j.state IN ('queued', 'running', 'waiting', 'paused')
 ORDER BY j.id
