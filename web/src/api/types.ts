/* What docs/openapi.yaml says, as far as the pages use it. Fields may be added there. */

export type Status = 'CURRENT' | 'PAST' | 'FUTURE' | 'PAUSED' | 'INACTIVE'
export type Pause = 'PAUSED' | 'NOT_PAUSED'

/** YYYY-MM-DD in Pacific time; NO_END has no end. */
export type Day = string
/** ISO 8601 in UTC. */
export type Time = string
/** Integer cents of the row's currency. */
export type Cents = number

export const NO_END: Day = '9999-12-31'

/** A program as the registry has it. */
export interface Program {
  program_id: string
  program_type: string | null
  status: Status
  program_status: string | null
  program_pause_status: string | null
  custom_name: string | null
  yelp_business_id: string | null
  partner_business_id: string | null
  business_name: string | null
  businesses: ProgramBusiness[] | null
  start_date: Day | null
  end_date: Day | null
  currency: string | null
  budget: Cents | null
  is_autobid: boolean | null
  max_bid: Cents | null
  billed_impressions: number | null
  billed_clicks: number | null
  ad_cost: Cents | null
  fee_period: string | null
  page_upgrade_monthly_rate: Cents | null
  page_upgrade_cost: Cents | null
  future_budget_changes: BudgetChange[] | null
  active_features: string[] | null
  available_features: string[] | null
  ad_categories: string[] | null
  ad_campaign_id: string | null
  created_at: Time | null
  updated_at: Time | null
}

export interface ProgramBusiness {
  yelp_business_id?: string | null
  partner_business_id?: string | null
}

export interface BudgetChange {
  new_budget?: Cents | null
  old_budget?: Cents | null
  start_date?: Day | null
}

export interface ProgramList {
  programs: Program[]
  total_count: number
  offset: number
  limit: number
  program_status: string
  business_id?: string
  sort: string
  next_cursor: string | null
  from_db: true
}

/** One as the partner sent it, or why it could not be read. */
export type LiveProgram =
  | { program_id: string; error: { code: string; detail: string } }
  | PartnerProgram

export interface PartnerProgram {
  program_id: string
  error?: undefined
  program_type?: string | null
  program_status?: string | null
  program_pause_status?: string | null
  start_date?: Day | null
  end_date?: Day | null
  yelp_business_id?: string | null
  partner_business_id?: string | null
  program_metrics?: PartnerMetrics | null
  future_budget_changes?: BudgetChange[] | null
  active_features?: string[] | null
  available_features?: string[] | null
  ad_categories?: string[] | null
  ad_campaign_id?: string | null
  [more: string]: unknown
}

export interface PartnerMetrics {
  budget?: Cents | null
  currency?: string | null
  is_autobid?: boolean | null
  max_bid?: Cents | null
  billed_impressions?: number | null
  billed_clicks?: number | null
  ad_cost?: Cents | null
  fee_period?: string | null
}

export interface LiveList {
  programs: LiveProgram[]
  total_count: number
  offset: number
  limit: number
  program_status: string
  business_id: string
  from_db: true
  stale_count: number
  warning?: string
}

export interface Choice {
  value: string
  count: number
}

export interface BusinessChoice {
  business_id: string
  name: string | null
  count: number
}

export interface Filters {
  businesses: BusinessChoice[]
  statuses: Choice[]
  types: Choice[]
  pause: Choice[]
  from_db: true
}

export type JobState =
  | 'queued'
  | 'running'
  | 'waiting'
  | 'paused'
  | 'done'
  | 'partial'
  | 'failed'
  | 'cancelled'

export interface Job {
  id: string
  kind: 'programs.sync' | 'programs.sync_dry_run'
  state: JobState
  created_at: Time | null
  started_at: Time | null
  finished_at: Time | null
  progress: { done: number; total: number | null; percentage: number | null }
  counts: { added: number; updated: number; removed: number; unchanged: number; failed: number }
  eta_at: Time | null
  waiting_until: Time | null
  waiting_reason: string | null
  errors: JobError[]
  timing_ms: {
    partner: number
    database: number | null
    names: number | null
    total: number | null
  }
}

export interface JobError {
  item: string
  code: string
  detail: string
}

export type SyncStatus = 'synced' | 'up_to_date' | 'partial'

/** An event of a sync's stream. */
export type SyncEvent =
  | { type: 'start'; message: string }
  | { type: 'info'; total_api: number; total_db: number; to_sync: number }
  | { type: 'progress'; synced: number; total: number; added: number; percentage: number }
  | { type: 'waiting'; until: Time | null; reason: string; message: string }
  | {
      type: 'complete'
      status: SyncStatus
      added: number
      total_synced: number
      message: string
      updated?: number
      removed?: number
    }
  | { type: 'error'; code?: string; message: string }

/** An event of the account's own stream. */
export type Change =
  | { type: 'programs.synced'; added: number; updated: number; removed: number; job: string }
  | { type: 'programs.custom_name_updated'; program_id: string; custom_name: string | null }
  | { type: 'reset' }

export function isActive(job: Job): boolean {
  return (
    job.state === 'queued' ||
    job.state === 'running' ||
    job.state === 'waiting' ||
    job.state === 'paused'
  )
}
