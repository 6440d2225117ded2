import type { Job, JobState, Time } from '../api/types'

/* What docs/openapi.yaml says of analytics, as far as the pages use it. */

export interface Seller {
  id: number
  name: string
  tokenKind: string
  tokenState: string
  tokenExpiresAt: Time | null
  tokenExpiresSoon: boolean
  timeZone: string
  allProducts: boolean
  jam: boolean | null
  products: number
  failedProducts: number
  lastSyncAt: Time | null
  oldestSyncAt: Time | null
  trouble: { code: string; since: Time } | null
  /** The run under way. */
  taskId: string | null
  nextRunAt: Time | null
}

/** What became of a list of products. */
export interface Added {
  added: number
  known: number
  rejectedCount: number
  rejected: { item: unknown; line?: number }[]
  total: number
}

/** A day of the seller API's calendar. */
type Day = string

/** null is "no data", never zero. */
export interface Figures {
  views: number | null
  addToCart: number | null
  orders: number | null
  ctr: number | null
  conversionRate: number | null
  revenue: number | null
  avgOrderValue: number | null
  buyouts: number | null
  buyoutSum: number | null
  cancels: number | null
  cancelSum: number | null
  currency: string | null
  periodStart: Day | null
  periodEnd: Day | null
}

export interface Product extends Figures {
  nmId: number
  title: string | null
  vendorCode: string | null
  brand: string | null
  subject: string | null
  avgPrice: number | null
  addToWishlist: number | null
  totalQueries: number | null
  topSearchQueries: SearchText[] | null
  /** Of the search texts, which come after the figures and stay until newer ones do. */
  textsPeriodStart: Day | null
  textsPeriodEnd: Day | null
  syncStatus: string | null
  syncError: { code: string; detail: string } | null
  lastSyncAt: Time | null
  lastAttemptAt: Time | null
}

export interface SearchText {
  query: string
  openCard: number | null
  addToCart: number | null
  orders: number | null
  avgPosition: number | null
}

/** One period of a product's past. */
export interface Period extends Figures {
  totalQueries: number | null
}

export interface ProductPast extends Product {
  /** Newest first. */
  history: Period[]
}

/** The sums of one period: that which most of the products have. */
export type Totals = Omit<Figures, 'cancelSum'> & {
  /** All that match, those whose figures are in the sums, and those of another period. */
  products: number
  withData: number
  ofOtherPeriods?: number
}

export interface ProductList {
  products: Product[]
  total_count: number
  totals: Totals
  next_cursor: string | null
}

export interface Task {
  taskId: string | null
  fresh?: boolean
  /** It was under way already, in this state. */
  joined?: boolean
  state?: JobState
  /** Null while nobody knows how many products there are, or when it goes on. */
  etaSeconds?: number | null
}

export interface Run extends Omit<Job, 'kind'> {
  kind: string
  calls: { made: number; left: number | null } | null
  batches: { done: number; total: number | null } | null
  seller: { id: number; name: string } | null
}

/** An event of a run's stream. */
export type RunEvent =
  | { type: 'start' }
  | { type: 'info'; products: number | null; batches: number | null; calls: number | null }
  | {
      type: 'progress'
      batch: number
      batches: number
      done: number
      failed: number
      total: number
      percentage: number
    }
  | {
      type: 'saved'
      part: 'figures' | 'texts'
      batch: number
      batches: number
      saved: number
      failed: number
      total: number
    }
  | { type: 'waiting'; until: Time | null; reason: string }
  | { type: 'complete'; status: string }
  | { type: 'error'; code?: string; message: string }
