-- What a session is like that the connection has not set up itself: the settings
-- that it lacks, and which database it is in.
SELECT (SELECT string_agg(name, ', ' ORDER BY name)
	  FROM pg_settings
	 WHERE name = 'idle_in_transaction_session_timeout'
	       AND setting::bigint NOT BETWEEN 1 AND 60000
	    OR name = 'client_connection_check_interval'
	       AND setting::bigint NOT BETWEEN 1 AND 60000
	    OR name = 'jit' AND setting <> 'off'
       ) AS lacks,
       (SELECT system_identifier FROM pg_control_system())::text
	   || ' ' || current_database() AS database
