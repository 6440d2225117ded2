import { cached, number } from '../i18n/format'
import { day, money } from '../programs/format'
import type { Figures } from './types'

/** The figures a person can ask for, and how each is written. */
export const FIGURES = {
  views: 'count',
  addToCart: 'count',
  ctr: 'percent',
  orders: 'count',
  conversionRate: 'percent',
  revenue: 'money',
  avgOrderValue: 'money',
  avgPrice: 'money',
  buyouts: 'count',
  buyoutSum: 'money',
  cancels: 'count',
  cancelSum: 'money',
  addToWishlist: 'count',
  totalQueries: 'count',
} as const
export type Figure = keyof typeof FIGURES

export function isFigure(name: string): name is Figure {
  return name in FIGURES
}

/** null: no data. */
export function figure(name: Figure, value: number | null | undefined, currency: string | null) {
  if (value === null || value === undefined) return null
  if (FIGURES[name] === 'money') return sum(value, currency)
  return FIGURES[name] === 'percent' ? percent(value) : number(value)
}

/** Whole units, of a currency that may be unknown. */
function sum(value: number, currency: string | null): string {
  return currency === null ? number(value) : money(value * 100, currency)
}

function percent(value: number): string {
  return cached(
    'percent',
    (l) => new Intl.NumberFormat(l, { style: 'percent', maximumFractionDigits: 2 }),
  ).format(value / 100)
}

/** Short, for an axis. */
export function short(value: number): string {
  return cached(
    'short',
    (l) => new Intl.NumberFormat(l, { notation: 'compact', maximumFractionDigits: 1 }),
  ).format(value)
}

export function period({ periodStart, periodEnd }: Pick<Figures, 'periodStart' | 'periodEnd'>) {
  if (periodStart === null || periodEnd === null) return null
  return { from: day(periodStart), to: day(periodEnd) }
}

/** A moment that is to come, or was, with its day. */
export function soon(iso: string): string {
  return cached(
    'soon',
    (l) =>
      new Intl.DateTimeFormat(l, {
        day: 'numeric',
        month: 'short',
        hour: '2-digit',
        minute: '2-digit',
      }),
  ).format(new Date(iso))
}
