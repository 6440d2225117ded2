import { Button, CloseButton } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { useJobActions } from '../history/actions'
import { underWay, type Bar } from './bar'
import classes from './SyncBar.module.css'
import { useBar, useSync } from './context'
import { useNow } from './now'
import { toneOf, useDetails, useHeadline, useLostWords } from './words'

const TICK_MS = 500

export function SyncBar() {
  const bar = useBar()
  const now = useNow(underWay(bar) ? TICK_MS : null)
  return (
    <>
      <Announced bar={bar} now={now} />
      {bar.phase !== 'idle' && <Shown bar={bar} now={Math.max(now, bar.infoAt)} />}
    </>
  )
}

function Shown({ bar, now }: { bar: Bar; now: number }) {
  const headline = useHeadline()(bar, now)
  const details = useDetails()(bar, now, headline)
  const lost = useLostWords()(bar, now)
  return (
    <div className={classes.card} data-tone={toneOf(bar)} data-phase={bar.phase}>
      <div className={classes.top}>
        <p className={classes.headline}>{headline}</p>
        <Percent bar={bar} />
        <Actions bar={bar} />
      </div>
      <Track bar={bar} text={headline} />
      {(underWay(bar) || lost !== null || details.length > 0) && (
        <p className={classes.details}>
          {lost !== null && <span className={classes.lost}>{lost}</span>}
          {details.map(({ text, lang }, i) => (
            <span key={i} lang={lang}>
              {text}
            </span>
          ))}
        </p>
      )}
    </div>
  )
}

function Percent({ bar }: { bar: Bar }) {
  const { t } = useTranslation('sync')
  const shown = bar.phase === 'running' || bar.phase === 'waiting'
  if (!shown || bar.percentage === null) return null
  return <span className={classes.percent}>{t('percent', { percent: bar.percentage })}</span>
}

function Track({ bar, text }: { bar: Bar; text: string }) {
  const { t } = useTranslation('sync')
  const known = bar.percentage !== null
  return (
    <div
      className={classes.track}
      role="progressbar"
      aria-label={t('title')}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={bar.percentage ?? undefined}
      aria-valuetext={text}
    >
      <div
        className={classes.fill}
        data-unknown={(!known && bar.phase !== 'waiting' && underWay(bar)) || undefined}
        style={known ? { width: `${bar.percentage}%` } : undefined}
      />
    </div>
  )
}

function Actions({ bar }: { bar: Bar }) {
  const { t } = useTranslation(['sync', 'common'])
  const sync = useSync()
  const jobs = useJobActions()
  const { job } = bar
  const active = underWay(bar)
  const paused = bar.phase === 'waiting' && bar.waiting?.reason === 'by_hand'
  const broken = bar.phase === 'failed' || bar.phase === 'partial' || bar.phase === 'cancelled'
  return (
    <div className={classes.actions}>
      {broken && (
        <Button size="compact-sm" variant="light" onClick={sync.again}>
          {t('tryAgain')}
        </Button>
      )}
      {active && bar.lost?.until && (
        <Button size="compact-sm" variant="light" onClick={sync.reconnect}>
          {t('tryNow')}
        </Button>
      )}
      {paused && job !== null && (
        <Button
          size="compact-sm"
          variant="light"
          onClick={() => jobs.mutate({ job, do: 'resume' })}
        >
          {t('resume')}
        </Button>
      )}
      {active && job !== null && (
        <Button
          size="compact-sm"
          variant="subtle"
          color="gray"
          aria-label={t('cancel')}
          onClick={() => jobs.mutate({ job, do: 'cancel' })}
        >
          {t('common:cancel')}
        </Button>
      )}
      {!active && (
        <CloseButton size="sm" aria-label={t('dismiss')} title={t('dismiss')} onClick={sync.hide} />
      )}
    </div>
  )
}

const QUARTER = 25

/** Every change of what goes on, and each quarter of the way; not each page. */
function Announced({ bar, now }: { bar: Bar; now: number }) {
  const { t } = useTranslation('sync')
  const headline = useHeadline()
  const lost = useLostWords()
  const quarter = Math.floor((bar.percentage ?? 0) / QUARTER) * QUARTER
  const key = [bar.phase, quarter, bar.toSync, bar.lost === null].join(' ')
  const said = useRef('')
  const [text, setText] = useState('')
  useEffect(() => {
    if (said.current === key) return
    said.current = key
    const onItsWay = bar.phase === 'running' && quarter > 0
    const progress = t('announceProgress', { percent: quarter })
    setText(lost(bar, now) ?? (onItsWay ? progress : headline(bar, now)))
  }, [key, bar, now, quarter, headline, lost, t])
  return (
    <div className="heard" role="status" aria-live="polite">
      {text}
    </div>
  )
}
