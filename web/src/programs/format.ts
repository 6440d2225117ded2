import { NO_END, type Cents, type Day } from '../api/types'
import { cached } from '../i18n/format'

/* Money and days as the registry has them, in the chosen language. */

/** The partner's, where a program does not name one. */
const CURRENCY = 'USD'

/** Whole cents of any currency; one that nobody knows stands behind the figure. */
export function money(cents: Cents, currency: string | null): string {
  const code = currency ?? CURRENCY
  try {
    return cached(
      `money ${code}`,
      (l) =>
        new Intl.NumberFormat(l, {
          style: 'currency',
          currency: code,
          currencyDisplay: 'narrowSymbol',
          minimumFractionDigits: 2,
          maximumFractionDigits: 2,
        }),
    ).format(cents / 100)
  } catch {
    const figure = cached(
      'money',
      (l) => new Intl.NumberFormat(l, { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
    ).format(cents / 100)
    return `${figure} ${code}`
  }
}

/** A Pacific day, which is the same day wherever the reader is. As it came if it is none. */
export function day(value: Day): string {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(value)
  const at =
    match === null ? NaN : Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]))
  if (Number.isNaN(at) || !new Date(at).toISOString().startsWith(value)) return value
  return cached(
    'day',
    (l) =>
      new Intl.DateTimeFormat(l, {
        year: 'numeric',
        month: 'short',
        day: 'numeric',
        timeZone: 'UTC',
      }),
  ).format(at)
}

export function isNoEnd(value: Day | null): boolean {
  return value === NO_END
}
