import i18next from 'i18next'

import { currentLanguage } from './index'

/* Numbers, times and lengths of time as the chosen language writes them. */

const made = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>()

/** Making one is slow, and tables need thousands of values. */
export function cached<T extends Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>(
  key: string,
  make: (language: string) => T,
): T {
  const language = currentLanguage()
  const name = `${language} ${key}`
  let format = made.get(name)
  if (format === undefined) made.set(name, (format = make(language)))
  return format as T
}

export function number(value: number): string {
  return cached('number', (l) => new Intl.NumberFormat(l)).format(value)
}

/** A moment in the reader's own time zone; only the time when it is today. */
export function moment(iso: string, now: Date = new Date()): string {
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return iso
  if (at.toDateString() === now.toDateString()) return clock(at)
  return cached(
    'moment',
    (l) => new Intl.DateTimeFormat(l, { dateStyle: 'medium', timeStyle: 'short' }),
  ).format(at)
}

/** The time of day, to the second. */
export function clock(at: Date): string {
  return cached('clock', (l) => new Intl.DateTimeFormat(l, { timeStyle: 'medium' })).format(at)
}

/** "just now", "3 minutes ago", "yesterday". */
export function ago(iso: string, now: number = Date.now()): string {
  const s = Math.round((Date.parse(iso) - now) / 1000)
  const format = cached('ago', (l) => new Intl.RelativeTimeFormat(l, { numeric: 'auto' }))
  if (Math.abs(s) < 60) return i18next.t('justNow')
  if (Math.abs(s) < 3600) return format.format(Math.round(s / 60), 'minute')
  if (Math.abs(s) < 86400) return format.format(Math.round(s / 3600), 'hour')
  return format.format(Math.round(s / 86400), 'day')
}

/** "850 ms" is "0.9 s"; "1 min 5 s"; "2 h 3 min": two units at most. */
export function duration(ms: number): string {
  const s = Math.max(0, ms) / 1000
  if (s < 9.95) return unit(s, 'second', s < 0.05 ? 0 : 1)
  const whole = Math.round(s)
  if (whole < 60) return unit(whole, 'second')
  if (whole < 3600) return two(Math.floor(whole / 60), 'minute', whole % 60, 'second')
  const min = Math.round(whole / 60)
  return two(Math.floor(min / 60), 'hour', min % 60, 'minute')
}

/** Whole seconds, for what counts down. */
export function countdown(ms: number): string {
  return duration(Math.max(0, Math.ceil(ms / 1000)) * 1000).replace(/[.,]0(?=\D)/, '')
}

function two(a: number, aUnit: string, b: number, bUnit: string): string {
  return b === 0 ? unit(a, aUnit) : `${unit(a, aUnit)} ${unit(b, bUnit)}`
}

function unit(value: number, name: string, digits = 0): string {
  return cached(
    `${name} ${digits}`,
    (l) =>
      new Intl.NumberFormat(l, {
        style: 'unit',
        unit: name,
        unitDisplay: 'short',
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      }),
  ).format(value)
}
