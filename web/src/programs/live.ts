import type { BudgetChange, LiveProgram, PartnerProgram, Program } from '../api/types'

/*
 * What the partner says of a program at this moment, in the shape of a registry row,
 * so that both can be shown beside each other.
 */

/**
 * The fields that the partner has in both of its answers: the list, which the registry is
 * from, has no categories and no campaign.
 */
export const LIVE_FIELDS = [
  'program_type',
  'program_status',
  'program_pause_status',
  'start_date',
  'end_date',
  'budget',
  'max_bid',
  'is_autobid',
  'billed_impressions',
  'billed_clicks',
  'ad_cost',
  'fee_period',
  'page_upgrade_monthly_rate',
  'page_upgrade_cost',
  'active_features',
  'available_features',
  'future_budget_changes',
] as const

export type LiveField = (typeof LIVE_FIELDS)[number]
export type LiveValues = Pick<Program, LiveField | 'currency'>

export type Live =
  | { is: 'known'; values: LiveValues }
  /** The partner has it no more. */
  | { is: 'gone' }
  | { is: 'failed'; code: string; detail: string }

/** How the answer to a question for these ids reads for each of them. */
export function readLive(
  ids: readonly string[],
  programs: readonly LiveProgram[],
): Map<string, Live> {
  const answers = new Map(programs.map((p) => [p.program_id, p]))
  return new Map(
    ids.map((id): [string, Live] => {
      const answer = answers.get(id)
      if (answer === undefined) return [id, { is: 'gone' }]
      if (answer.error !== undefined) return [id, { is: 'failed', ...answer.error }]
      return [id, { is: 'known', values: valuesOf(answer as PartnerProgram) }]
    }),
  )
}

export function valuesOf(live: PartnerProgram): LiveValues {
  const metrics = live.program_metrics ?? {}
  const upgrade = isRecord(live['page_upgrade_info']) ? live['page_upgrade_info'] : {}
  return {
    program_type: live.program_type ?? null,
    program_status: live.program_status ?? null,
    program_pause_status: live.program_pause_status ?? null,
    start_date: live.start_date ?? null,
    end_date: live.end_date ?? null,
    currency: metrics.currency ?? null,
    budget: metrics.budget ?? null,
    max_bid: metrics.max_bid ?? null,
    is_autobid: metrics.is_autobid ?? null,
    billed_impressions: metrics.billed_impressions ?? null,
    billed_clicks: metrics.billed_clicks ?? null,
    ad_cost: metrics.ad_cost ?? null,
    fee_period: metrics.fee_period ?? null,
    page_upgrade_monthly_rate: cents(upgrade['monthly_rate']),
    page_upgrade_cost: cents(upgrade['cost']),
    active_features: live.active_features ?? null,
    available_features: live.available_features ?? null,
    future_budget_changes: live.future_budget_changes ?? null,
  }
}

/** The fields of which the registry says something else: the sync has not seen it yet. */
export function differing(row: Program, live: LiveValues): Set<LiveField> {
  return new Set(LIVE_FIELDS.filter((field) => flat(row[field]) !== flat(live[field])))
}

/** The order of a list means nothing, and none is the same as an empty one. */
function flat(value: Program[LiveField]): string {
  if (value === null || value === undefined) return ''
  if (!Array.isArray(value)) return JSON.stringify(value)
  return (value as (string | BudgetChange)[]).map(entry).sort().join('\n')
}

function entry(value: string | BudgetChange): string {
  if (typeof value === 'string') return value
  return JSON.stringify([
    value.start_date ?? null,
    value.old_budget ?? null,
    value.new_budget ?? null,
  ])
}

/** Page upgrades are in dollars, unlike all else of the partner's. */
function cents(dollars: unknown): number | null {
  return typeof dollars === 'number' && Number.isFinite(dollars) ? Math.round(dollars * 100) : null
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
