import type { Program } from '../api/types'

export type ColumnId = Exclude<
  keyof Program,
  'currency' | 'businesses' | 'future_budget_changes' | 'ad_categories'
>

export interface Column {
  id: ColumnId
  /** Figures stand at the right, so that their digits are below each other. */
  figure?: true
  /** Shown unless a person chooses otherwise. */
  usual?: true
}

/** All there are, in the order in which they are shown. The API sorts by each of them. */
export const COLUMNS: readonly Column[] = [
  { id: 'custom_name', usual: true },
  { id: 'business_name', usual: true },
  { id: 'program_type', usual: true },
  { id: 'status', usual: true },
  { id: 'start_date', usual: true },
  { id: 'end_date', usual: true },
  { id: 'budget', figure: true, usual: true },
  { id: 'max_bid', figure: true, usual: true },
  { id: 'is_autobid', usual: true },
  { id: 'billed_impressions', figure: true, usual: true },
  { id: 'billed_clicks', figure: true, usual: true },
  { id: 'ad_cost', figure: true, usual: true },
  { id: 'active_features', usual: true },
  { id: 'available_features' },
  { id: 'program_status' },
  { id: 'program_pause_status' },
  { id: 'fee_period' },
  { id: 'page_upgrade_monthly_rate', figure: true },
  { id: 'page_upgrade_cost', figure: true },
  { id: 'program_id' },
  { id: 'yelp_business_id' },
  { id: 'partner_business_id' },
  { id: 'ad_campaign_id' },
  { id: 'created_at' },
  { id: 'updated_at' },
]

/** The name is what a row is known by: it cannot be put away. */
export const FIXED: ColumnId = 'custom_name'

export const USUAL: readonly ColumnId[] = COLUMNS.filter((c) => c.usual).map((c) => c.id)

export function isColumn(id: unknown): id is ColumnId {
  return COLUMNS.some((c) => c.id === id)
}

/** These columns in their order, each once, with the one that is always there. */
export function ordered(ids: Iterable<ColumnId>): ColumnId[] {
  const wanted = new Set(ids).add(FIXED)
  return COLUMNS.filter((c) => wanted.has(c.id)).map((c) => c.id)
}

export function sameColumns(a: readonly ColumnId[], b: readonly ColumnId[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i])
}
