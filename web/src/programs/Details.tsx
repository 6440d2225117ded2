import { Button, Loader } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import type { BudgetChange, Program } from '../api/types'
import { useApi } from '../session/context'
import { SideDrawer } from '../ui/Dialog'
import { useExplain, useExplainError } from '../ui/explain'
import { AlertIcon, CheckIcon } from '../ui/icons'
import { Notice } from '../ui/Notice'
import { Waiting } from '../ui/Waiting'
import { StatusMark, useCell } from './cells'
import type { ColumnId } from './columns'
import classes from './Details.module.css'
import { day, money } from './format'
import { useLabels } from './labels'
import { differing, type Live, type LiveField } from './live'
import { Name, nameOf } from './Name'
import { liveQuery, useProgram } from './queries'
import type { Tell } from './useLive'

interface Props {
  id: string
  /** The row, when the page has it. */
  program: Program | undefined
  tell: Tell
  onClose(): void
}

/** All of one program: what the registry has, and what the partner says now. */
export default function Details({ id, program, tell, onClose }: Props) {
  const { t } = useTranslation('programs')
  const alone = useProgram(id, program === undefined)
  const shown = program ?? alone.data ?? undefined
  return (
    <SideDrawer title={t('details')} onClose={onClose}>
      {shown !== undefined ? (
        <Body program={shown} tell={tell} />
      ) : alone.isPending ? (
        <Waiting />
      ) : (
        <Missing error={alone.error} retry={() => void alone.refetch()} />
      )}
    </SideDrawer>
  )
}

function Missing({ error, retry }: { error: Error | null; retry(): void }) {
  const { t } = useTranslation('programs')
  const explain = useExplainError()
  if (error === null) return <Notice title={t('noSuchProgram')} text={t('noSuchProgramText')} />
  return (
    <Notice title={t('detailsFailed')} text={explain(error)}>
      <Button variant="default" onClick={retry}>
        {t('tryAgain')}
      </Button>
    </Notice>
  )
}

const GROUPS: { title: 'group_money' | 'group_results' | 'group_terms'; fields: ColumnId[] }[] = [
  {
    title: 'group_money',
    fields: ['budget', 'max_bid', 'is_autobid', 'fee_period'],
  },
  {
    title: 'group_results',
    fields: ['billed_impressions', 'billed_clicks', 'ad_cost'],
  },
  {
    title: 'group_terms',
    fields: ['program_type', 'start_date', 'end_date', 'program_status', 'program_pause_status'],
  },
]

const UPGRADE: ColumnId[] = ['page_upgrade_monthly_rate', 'page_upgrade_cost']
const IDS: ColumnId[] = ['program_id', 'yelp_business_id', 'partner_business_id', 'ad_campaign_id']
const TIMES: ColumnId[] = ['created_at', 'updated_at']

function Body({ program, tell }: { program: Program; tell: Tell }) {
  const { t } = useTranslation('programs')
  const id = program.program_id
  const asked = useQuery(liveQuery(useApi(), [id]))
  const live = asked.data?.get(id)

  useEffect(() => {
    if (live !== undefined) tell(id, live)
  }, [id, live, tell])

  const values = live?.is === 'known' ? live.values : undefined
  const now: Program = values === undefined ? program : { ...program, ...values }
  const other = values === undefined ? new Set<LiveField>() : differing(program, values)
  const upgrade = UPGRADE.some((field) => now[field] !== null)
  return (
    <article>
      <header className={classes.head}>
        <div className={classes.name}>
          <Name program={program} />
        </div>
        <p className={classes.sub}>
          <bdi>{program.business_name ?? program.yelp_business_id ?? nameOf(program)}</bdi>
          <StatusMark status={program.status} />
        </p>
      </header>
      <LiveState
        live={live}
        differs={other.size}
        pending={asked.isFetching}
        error={asked.isFetching ? null : asked.error}
        retry={() => void asked.refetch()}
      />
      {GROUPS.map(({ title, fields }) => (
        <Group key={title} title={t(title)}>
          <Values now={now} before={program} fields={fields} other={other} />
        </Group>
      ))}
      {upgrade && (
        <Group title={t('group_upgrade')}>
          <Values now={now} before={program} fields={UPGRADE} other={other} />
        </Group>
      )}
      <Plans now={now} />
      <Features
        now={now}
        changed={other.has('active_features') || other.has('available_features')}
      />
      <Group title={t('group_ids')}>
        <Values now={now} before={program} fields={IDS} other={other} />
        <More program={program} />
      </Group>
      <Group title={t('group_registry')}>
        <Values now={now} before={program} fields={TIMES} other={other} />
      </Group>
    </article>
  )
}

interface LiveStateProps {
  live: Live | undefined
  differs: number
  pending: boolean
  error: Error | null
  retry(): void
}

/** Whether what is shown is the partner's word of now, and if not, why. */
function LiveState({ live, differs, pending, error, retry }: LiveStateProps) {
  const { t } = useTranslation('programs')
  const explain = useExplain()
  const explainError = useExplainError()
  const failure =
    error !== null
      ? explainError(error)
      : live?.is === 'failed'
        ? explain(live.code, live.detail)
        : null
  const say = (): [string, string] => {
    if (pending) return ['wait', t('liveAsking')]
    if (failure !== null) return ['bad', t('liveFailed', { reason: failure })]
    if (live?.is === 'gone') return ['warn', t('liveGone')]
    if (differs > 0) return ['warn', t('liveDiffers')]
    return ['good', t('liveSame')]
  }
  const [tone, text] = say()
  return (
    <div className={classes.live} data-tone={tone}>
      {pending ? (
        <Loader size={14} aria-hidden="true" />
      ) : tone === 'good' ? (
        <CheckIcon />
      ) : (
        <AlertIcon />
      )}
      <p role="status">{text}</p>
      {!pending && tone !== 'good' && (
        <Button size="compact-sm" variant="default" onClick={retry}>
          {t('askAgain')}
        </Button>
      )}
    </div>
  )
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.group}>
      <h3>{title}</h3>
      {children}
    </section>
  )
}

interface ValuesProps {
  now: Program
  before: Program
  fields: readonly ColumnId[]
  other: ReadonlySet<string>
}

function Values({ now, before, fields, other }: ValuesProps) {
  const { t } = useTranslation('programs')
  const label = useLabels()
  const cell = useCell()
  return (
    <dl className={classes.values}>
      {fields.map((id) => (
        <div key={id} data-other={other.has(id) || undefined}>
          <dt>{label.column(id)}</dt>
          <dd>
            {cell(now, id)}
            {other.has(id) && (
              <span className={classes.was}>
                {t('inRegistry')} {cell(before, id)}
              </span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  )
}

/** Budgets that are to come. */
function Plans({ now }: { now: Program }) {
  const { t } = useTranslation('programs')
  const plans = now.future_budget_changes ?? []
  if (plans.length === 0) return null
  const amount = (cents: BudgetChange['new_budget']) =>
    typeof cents === 'number' ? money(cents, now.currency) : '—'
  return (
    <Group title={t('group_plans')}>
      <ul className={classes.plans}>
        {plans.map((plan, i) => (
          <li key={i}>
            {t('plan', {
              day: plan.start_date ? day(plan.start_date) : '—',
              before: amount(plan.old_budget),
              after: amount(plan.new_budget),
            })}
          </li>
        ))}
      </ul>
    </Group>
  )
}

function Features({ now, changed }: { now: Program; changed: boolean }) {
  const { t } = useTranslation('programs')
  const label = useLabels()
  const active = new Set(now.active_features ?? [])
  const all = [...new Set([...active, ...(now.available_features ?? [])])]
  if (all.length === 0) return null
  return (
    <Group title={t('group_features')}>
      <ul className={classes.features} data-other={changed || undefined}>
        {all.map((feature) => (
          <li key={feature} data-on={active.has(feature) || undefined}>
            <bdi>{label.feature(feature)}</bdi>
            <span className={classes.state}>
              {active.has(feature) ? t('featureOn') : t('featureOff')}
            </span>
          </li>
        ))}
      </ul>
    </Group>
  )
}

/** What only some have: several businesses, and categories. */
function More({ program }: { program: Program }) {
  const { t } = useTranslation('programs')
  const businesses = (program.businesses ?? []).slice(1)
  const categories = program.ad_categories ?? []
  if (businesses.length === 0 && categories.length === 0) return null
  return (
    <dl className={classes.values}>
      {businesses.length > 0 && (
        <div>
          <dt>{t('otherBusinesses')}</dt>
          {businesses.map((b, i) => (
            <dd key={i}>
              <code>{[b.yelp_business_id, b.partner_business_id].filter(Boolean).join(' · ')}</code>
            </dd>
          ))}
        </div>
      )}
      {categories.length > 0 && (
        <div>
          <dt>{t('categories')}</dt>
          <dd>{categories.join(', ')}</dd>
        </div>
      )}
    </dl>
  )
}
