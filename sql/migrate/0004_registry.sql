-- The registry at full depth: every column of the partner's programs.  Money
-- is in cents; NULL is "the partner did not say", never zero or empty.

ALTER TABLE program
	ADD COLUMN budget                    bigint,
	ADD COLUMN currency                  text,
	ADD COLUMN is_autobid                boolean,
	ADD COLUMN max_bid                   bigint,
	ADD COLUMN billed_impressions        bigint,
	ADD COLUMN billed_clicks             bigint,
	ADD COLUMN ad_cost                   bigint,
	ADD COLUMN fee_period                text,
	ADD COLUMN active_features           jsonb,
	ADD COLUMN available_features        jsonb,
	ADD COLUMN businesses                jsonb,
	ADD COLUMN future_budget_changes     jsonb,
	ADD COLUMN page_upgrade_monthly_rate bigint,
	ADD COLUMN page_upgrade_cost         bigint,
	ADD COLUMN ad_categories             jsonb,
	ADD COLUMN ad_campaign_id            text;

-- When the whole list was last read and agreed with itself.
ALTER TABLE account ADD COLUMN full_at timestamptz;
