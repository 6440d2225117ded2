import { cached, number } from '../i18n/format'
import { day } from '../programs/format'
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

/** In units of a currency that may be unknown; those that the API sends are whole. */
function sum(value: number, currency: string | null): string {
  if (currency === null) return number(value)
  const digits = Number.isInteger(value) ? 0 : 2
  try {
    return cached(
      `sum ${currency} ${digits}`,
      (l) =>
        new Intl.NumberFormat(l, {
          style: 'currency',
          currency,
          currencyDisplay: 'narrowSymbol',
          minimumFractionDigits: digits,
          maximumFractionDigits: digits,
        }),
    ).format(value)
  } catch {
    return `${number(value)} ${currency}`
  }
}

function percent(value: number): string {
  return cached(
    'percent',
    (l) => new Intl.NumberFormat(l, { style: 'percent', maximumFractionDigits: 2 }),
  ).format(value / 100)
}

/** How far something is, in whole percents. */
export function share(percentage: number): string {
  return cached('share', (l) => new Intl.NumberFormat(l, { style: 'percent' })).format(
    percentage / 100,
  )
}

/** Short, for an axis. */
export function axis(name: Figure, value: number): string {
  if (FIGURES[name] === 'percent') return percent(value)
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
        hour: 'numeric',
        minute: '2-digit',
      }),
  ).format(new Date(iso))
}
