import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate } from 'react-router-dom'

import { countdown, moment, number } from '../i18n/format'
import { useNow } from '../sync/now'
import bar from '../sync/SyncBar.module.css'
import { BusyButton } from '../ui/BusyButton'
import { Dialog } from '../ui/Dialog'
import manage from './Manage.module.css'
import { NotNewer } from './NotNewer'
import { isGone, useAct, useSellers } from './queries'
import { share } from './format'
import classes from './RunCard.module.css'
import { actionsOf, etaOf, isOver, isWhole, leftOf, type RunAction } from './run'
import { tones } from './State'
import type { Run } from './types'
import { useRun } from './useRun'
import { useStop } from './useStop'
import { useWhy, useWhyError } from './useWhy'

/** The run of the page's seller, with the way to its own page. */
export function RunOf({ id }: { id: string }) {
  const { t } = useTranslation('jobs')
  const { data: run, error, refetch, lost } = useRun(id)
  if (isGone(error)) return <p role="alert">{t('gone')}</p>
  return (
    <>
      <NotNewer alone error={error} first={run === undefined} onRetry={() => void refetch()} />
      {run !== undefined && (
        <RunCard run={run} lost={lost}>
          <Button size="compact-sm" variant="subtle" component={Link} to={`/jobs?job=${id}`}>
            {t('toJob')}
          </Button>
        </RunCard>
      )}
    </>
  )
}

interface Props {
  run: Run
  lost: boolean
  children?: ReactNode
}

/** How far a run is, what it waits for, and what can be done to it. */
export function RunCard({ run, lost, children }: Props) {
  const { t } = useTranslation('jobs')
  const now = Math.max(useNow(isOver(run) ? null : 1000), Date.now())
  const headline = useHeadline()(run, now)
  const { percentage } = run.progress
  const card = useRef<HTMLElement>(null)
  const actions = useRef<HTMLDivElement>(null)
  const pressed = useRef<string | null>(null)
  const [wanted, setAsking] = useState(false)
  const asking = wanted && !isOver(run)
  const offered = actionsOf(run).join()
  // What was pressed is not there any more: the keyboard is beside it, not nowhere.
  const beside = () => {
    const at = document.activeElement
    if (at !== document.body && at?.id !== 'content') return
    const next = actions.current?.querySelector<HTMLElement>('button, a') ?? card.current
    next?.focus({ preventScroll: true })
  }
  useEffect(() => {
    if (pressed.current === null || pressed.current === offered) return
    pressed.current = null
    beside()
  })
  const asked = useRef(false)
  useEffect(() => {
    // Once the question has given it back to where it was opened from, if that is there.
    if (asked.current && !asking) setTimeout(beside)
    asked.current = asking
  }, [asking])
  return (
    <section
      ref={card}
      tabIndex={-1}
      className={bar.card}
      data-tone={tones[run.state]}
      aria-label={t('run')}
    >
      <Announced run={run} />
      <div className={bar.top}>
        <p className={bar.headline}>{headline}</p>
        {!isOver(run) && percentage !== null && (
          <span className={bar.percent}>{share(percentage)}</span>
        )}
        <div ref={actions} className={`${bar.actions} ${classes.actions}`}>
          <RunActions
            run={run}
            asking={asking}
            onAsk={setAsking}
            onDone={() => (pressed.current = offered)}
          />
          <AnotherToken run={run} />
          {children}
        </div>
      </div>
      <Track run={run} text={headline} />
      <p className={bar.details}>
        {lost && <span className={bar.lost}>{t('lost')}</span>}
        {useFacts()(run, now).map(([name, value]) => (
          <span key={name}>
            {name} {value}
          </span>
        ))}
      </p>
    </section>
  )
}

/** The way out, where it is the token that is in the way. */
function AnotherToken({ run }: { run: Run }) {
  const { t } = useTranslation('analytics')
  const { data: sellers } = useSellers()
  const seller = sellers?.find(({ id }) => id === run.seller?.id)
  if (seller === undefined || seller.tokenState === 'active') return null
  if (run.state !== 'failed' && run.waiting_reason !== 'login_refused') return null
  return (
    <Button size="compact-sm" component={Link} to={`/analytics?seller=${seller.id}&manage=token`}>
      {t('changeToken')}
    </Button>
  )
}

/** The name and the value of each figure of a run that is known. */
export function useFacts(): (run: Run, now: number) => [string, string][] {
  const { t } = useTranslation('jobs')
  return (run, now) => {
    const { done, total } = run.progress
    const facts: [string, string][] = []
    const of = (n: number, all: number) => t('ofTotal', { n: number(n), total: number(all) })
    // None at all: there was nothing to do.
    if (total !== null && total > 0) facts.push([t('products'), of(done, total)])
    if (total !== null && run.counts.updated > done)
      facts.push([t('figures'), of(run.counts.updated, total)])
    if (run.batches !== null && run.batches.total !== null && run.batches.total > 0)
      facts.push([t('batches'), of(run.batches.done, run.batches.total)])
    if (run.calls !== null) {
      const left = run.calls.left !== null && !isOver(run) ? run.calls.left : 0
      const made = t('callsMade', { n: number(run.calls.made) })
      facts.push([t('calls'), left > 0 ? `${made}, ${t('callsLeft', { n: number(left) })}` : made])
    }
    if (run.counts.failed > 0) facts.push([t('failed'), number(run.counts.failed)])
    const eta = etaOf(run, now)
    if (eta !== null) facts.push([t('eta'), moment(eta)])
    return facts
  }
}

function useHeadline(): (run: Run, now: number) => string {
  const { t } = useTranslation('jobs')
  const reason = useReason()
  const whyError = useWhy()
  return (run, now) => {
    const why = reason(run)
    const because = (text: string) => (why === null ? text : `${text}, ${why}`)
    const whole = run.errors.find(({ item }) => isWhole(item))
    const after = (text: string) =>
      whole === undefined ? text : `${text}. ${whyError(whole.code, whole.detail)}`
    switch (run.state) {
      case 'queued':
        return t('headQueued')
      case 'running':
        return t('headRunning')
      case 'waiting':
        return because(waiting(run.waiting_until, now))
      case 'paused':
        return because(t('headPaused'))
      case 'done':
        return t('headDone', {
          count: run.progress.done,
          n: number(run.progress.done),
        })
      case 'partial':
        return after(t('headPartial'))
      case 'failed':
        return after(t('headFailed'))
      case 'cancelled':
        return t('headCancelled')
    }
  }

  function waiting(until: string | null, now: number): string {
    const ms = until === null ? 0 : Date.parse(until) - now
    if (until === null || ms <= 0) return t('headWaitingSoon')
    return t('headWaiting', { wait: countdown(ms), until: moment(until) })
  }
}

/** Why it waits or is paused. */
export function useReason(): (run: Run) => string | null {
  const { i18n } = useTranslation('jobs')
  return ({ waiting_reason: reason }) => {
    const key = `jobs:reason_${reason}`
    return reason !== null && i18n.exists(key) ? (i18n.t as (key: string) => string)(key) : reason
  }
}

function Track({ run, text }: { run: Run; text: string }) {
  const { t } = useTranslation('jobs')
  const percentage = run.state === 'done' ? 100 : run.progress.percentage
  return (
    <div
      className={bar.track}
      role="progressbar"
      aria-label={t('progress')}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percentage ?? undefined}
      aria-valuetext={text}
    >
      <div
        className={bar.fill}
        data-unknown={(percentage === null && run.state === 'running') || undefined}
        style={percentage !== null ? { width: `${percentage}%` } : undefined}
      />
    </div>
  )
}

interface ActionsProps {
  run: Run
  /** Whether it is asked about cancelling it. */
  asking: boolean
  onAsk(asking: boolean): void
  onDone(): void
}

function RunActions({ run, asking, onAsk, onDone }: ActionsProps) {
  const { t } = useTranslation('jobs')
  const act = useAct()
  const navigate = useNavigate()
  const stop = useStop()
  const why = useWhyError()
  const named = (what: RunAction) => (what === 'retryFailed' && leftOf(run) ? 'retryRest' : what)
  const perform = async (what: RunAction) => {
    const signal = stop()
    try {
      const next = await act.mutateAsync({ id: run.id, what })
      onDone()
      notifications.show({ message: t(`did_${named(what)}`), color: 'green' })
      // A run again is another job.
      if (next.id !== run.id && !signal.aborted) void navigate(`/jobs?job=${next.id}`)
    } catch (error) {
      notifications.show({
        message: t('refused', { reason: why(error) }),
        color: 'red',
      })
    }
  }
  const cancel = async () => {
    await perform('cancel')
    onAsk(false)
  }
  return (
    <>
      {actionsOf(run).map((what) => (
        <BusyButton
          key={what}
          size="compact-sm"
          variant={what === 'cancel' ? 'subtle' : 'light'}
          color={what === 'cancel' ? 'gray' : undefined}
          aria-haspopup={what === 'cancel' ? 'dialog' : undefined}
          busy={act.isPending}
          onClick={() => (what === 'cancel' ? onAsk(true) : void perform(what))}
        >
          {t(named(what))}
        </BusyButton>
      ))}
      {asking && (
        <Dialog title={t('cancelSure')} onClose={() => onAsk(false)} centered>
          <p className={manage.sure}>{t('cancelSureText')}</p>
          <div className={manage.buttons}>
            <Button variant="default" data-autofocus onClick={() => onAsk(false)}>
              {t('cancelNot')}
            </Button>
            <BusyButton color="red" busy={act.isPending} onClick={() => void cancel()}>
              {t('cancelThis')}
            </BusyButton>
          </div>
        </Dialog>
      )}
    </>
  )
}

const QUARTER = 25

/** Each quarter of the way and how it ends, not each batch and each pause between calls. */
function Announced({ run }: { run: Run }) {
  const { t } = useTranslation(['jobs', 'operators'])
  const goes = run.state === 'running' || run.state === 'waiting'
  const quarter = Math.floor((run.progress.percentage ?? 0) / QUARTER) * QUARTER
  const key = goes ? `goes ${quarter}` : run.state
  const words = goes
    ? `${t('headRunning')}, ${t('announceProgress', { percent: quarter })}`
    : t(`operators:state_${run.state}`)
  const said = useRef('')
  const [text, setText] = useState('')
  useEffect(() => {
    if (said.current === key) return
    said.current = key
    setText(words)
  }, [key, words])
  return (
    <div className="heard" role="status">
      {text}
    </div>
  )
}
