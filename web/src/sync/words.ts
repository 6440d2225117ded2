import { useTranslation } from 'react-i18next'

import { clock, countdown, number } from '../i18n/format'
import { useExplain } from '../ui/explain'
import type { Bar } from './bar'

/** How long the first news stays before progress takes its place. */
const NEWS_MS = 1_500

export type Tone = 'info' | 'good' | 'bad' | 'wait' | 'off'

export function toneOf(bar: Bar): Tone {
  if (bar.phase === 'done') return 'good'
  if (bar.phase === 'partial' || bar.phase === 'failed') return 'bad'
  if (bar.phase === 'cancelled') return 'off'
  if (bar.phase === 'waiting') return 'wait'
  return bar.lost === null ? 'info' : 'off'
}

/** What the bar says, in one line. */
export function useHeadline(): (bar: Bar, now: number) => string {
  const { t } = useTranslation('sync')
  const explain = useExplain()

  const running = (bar: Bar, now: number): string => {
    const { total, toSync } = bar
    if (total === null) return t('starting')
    if (toSync === 0) return t('checking', { count: total, total: number(total) })
    const fresh = now - bar.infoAt < NEWS_MS || bar.read === 0
    if (toSync !== null && fresh) return t('found', { count: toSync, n: toSync })
    return t('progress', { n: bar.read, total })
  }

  const waiting = ({ until, reason }: NonNullable<Bar['waiting']>): string => {
    if (reason === 'by_hand') return t('pausedByHand')
    if (reason === 'login_refused') return t('pausedLogin')
    return until === null ? t('waitingSoon') : t('waiting', { time: clock(new Date(until)) })
  }

  const done = ({ result }: Bar): string => {
    if (result === null || result.status === 'up_to_date') return t('upToDate')
    if (result.added === 0) return t('changed')
    return t('synced', { count: result.added, n: result.added })
  }

  return (bar, now) => {
    switch (bar.phase) {
      case 'idle':
        return ''
      case 'starting':
      case 'running':
        return running(bar, now)
      case 'waiting':
        return bar.waiting === null ? t('waitingSoon') : waiting(bar.waiting)
      case 'done':
        return done(bar)
      case 'partial':
        return t('partial')
      case 'cancelled':
        return t('cancelled')
      case 'failed':
        return t('failed', { reason: explain(bar.failure?.code ?? '', bar.failure?.message ?? '') })
    }
  }
}

export interface Detail {
  text: string
  /** The server speaks English, whatever the reader's language is. */
  lang?: 'en'
}

/** The server's own words, unless the headline has said them. */
function told(message: string, headline: string): Detail[] {
  const said = message === '' || headline.includes(message.replace(/\.$/, ''))
  return said ? [] : [{ text: message, lang: 'en' }]
}

/** What stands below it, in small. */
export function useDetails(): (bar: Bar, now: number, headline: string) => Detail[] {
  const { t } = useTranslation('sync')
  const counted = (what: 'added' | 'updated' | 'removed' | 'notRead', n: number) =>
    n > 0 ? [{ text: t(what, { count: n, n: number(n) }) }] : []

  const moving = (bar: Bar, now: number, headline: string): Detail[] => {
    const { read, total } = bar
    const known = total === null || headline === t('progress', { n: read, total })
    const of = known ? [] : [{ text: t('counts', { n: number(read), total: number(total) }) }]
    const left =
      bar.eta !== null && bar.eta > now
        ? [{ text: t('left', { time: countdown(bar.eta - now) }) }]
        : []
    return [...of, ...counted('added', bar.added), ...left]
  }

  return (bar, now, headline) => {
    if (bar.phase === 'running') return moving(bar, now, headline)
    if (bar.phase === 'waiting') {
      const until = bar.waiting?.until ?? null
      const rest =
        until === null || until <= now
          ? []
          : [{ text: t('waitingIn', { time: countdown(until - now) }) }]
      return [...rest, ...moving({ ...bar, eta: null }, now, headline)]
    }
    if (bar.phase === 'failed' && bar.failure !== null) return told(bar.failure.message, headline)
    const { result } = bar
    if (result === null) return []
    return [
      ...(bar.phase === 'done' && result.added > 0 ? [] : counted('added', result.added)),
      ...counted('updated', result.updated),
      ...counted('removed', result.removed),
      ...counted('notRead', result.failed),
      ...(bar.phase === 'partial' ? told(result.message, headline) : []),
    ]
  }
}

/** That the line is down, and when it is tried again; null while it is up. */
export function useLostWords(): (bar: Bar, now: number) => string | null {
  const { t } = useTranslation('sync')
  const explain = useExplain()

  /** The server has answered, but with an error. */
  const refused = (started: boolean, code: string, wait: number): string => {
    const reason = explain(code, code)
    if (wait <= 0) return t(started ? 'followingAgain' : 'askingAgain', { reason })
    const time = countdown(wait)
    return t(started ? 'followAgainIn' : 'askAgainIn', { reason, time })
  }

  return (bar, now) => {
    if (bar.lost === null) return null
    const { until, code } = bar.lost
    const started = bar.job !== null
    if (code !== 'network') return refused(started, code, (until ?? now) - now)
    if (until === null || until <= now) return started ? t('reconnecting') : t('connecting')
    const time = countdown(until - now)
    return started ? t('lost', { time }) : t('noLine', { time })
  }
}
