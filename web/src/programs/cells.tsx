import { createContext, useContext, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import type { BusinessChoice, Program, Status } from '../api/types'
import { moment, number } from '../i18n/format'
import classes from './cells.module.css'
import type { ColumnId } from './columns'
import { day, isNoEnd, money } from './format'
import { useLabels } from './labels'

const NONE = '—'

/** What stands in a program's cell of a column, wherever that is. */
export function useCell(): (program: Program, id: ColumnId) => ReactNode {
  const { t } = useTranslation('programs')
  const label = useLabels()

  const date = (value: string | null) => {
    if (value === null) return NONE
    return isNoEnd(value) ? <span className={classes.soft}>{t('noEnd')}</span> : day(value)
  }

  return (program, id) => {
    const cents = (value: number | null) => (value === null ? NONE : money(value, program.currency))
    const id22 = (value: string | null) =>
      value === null ? NONE : <code className={classes.id}>{value}</code>
    const word = (value: string | null, say: (value: string) => string) =>
      value === null ? NONE : <bdi title={say(value)}>{say(value)}</bdi>
    switch (id) {
      case 'custom_name':
        return program.custom_name === null ? NONE : <bdi>{program.custom_name}</bdi>
      case 'business_name':
        return <Business program={program} />
      case 'program_type':
        return word(program.program_type, label.type)
      case 'status':
        return <StatusMark status={program.status} />
      case 'start_date':
      case 'end_date':
        return date(program[id])
      case 'budget':
      case 'max_bid':
      case 'ad_cost':
      case 'page_upgrade_monthly_rate':
      case 'page_upgrade_cost':
        return cents(program[id])
      case 'is_autobid':
        return program.is_autobid === null ? NONE : t(program.is_autobid ? 'on' : 'off')
      case 'billed_impressions':
      case 'billed_clicks':
        return program[id] === null ? NONE : number(program[id])
      case 'active_features':
      case 'available_features':
        return <Features features={program[id]} />
      case 'program_status':
        return word(program.program_status, label.partner)
      case 'program_pause_status':
        return word(program.program_pause_status, label.pause)
      case 'fee_period':
        return word(program.fee_period, label.fee)
      case 'created_at':
      case 'updated_at':
        return program[id] === null ? NONE : moment(program[id])
      case 'program_id':
      case 'yelp_business_id':
      case 'partner_business_id':
      case 'ad_campaign_id':
        return id22(program[id])
    }
  }
}

export function StatusMark({ status }: { status: Status }) {
  const label = useLabels()
  return (
    <span className={classes.status} data-status={status}>
      {label.status(status)}
    </span>
  )
}

export interface Businesses {
  /** Which one is filtered by. */
  chosen: string | null
  known: readonly BusinessChoice[]
}

export const BusinessesContext = createContext<Businesses>({ chosen: null, known: [] })

/**
 * The one that is filtered by, or else the first; by name, by id while the name is not
 * known; and how many more.
 */
function Business({ program }: { program: Program }) {
  const { chosen, known } = useContext(BusinessesContext)
  const { business_name: firstName, yelp_business_id: first } = program
  const ids = (program.businesses ?? []).flatMap((b) => b.yelp_business_id ?? [])
  const id = chosen !== null && ids.includes(chosen) ? chosen : first
  const nameOf = (one: string | null) =>
    one === first ? firstName : (known.find((b) => b.business_id === one)?.name ?? null)
  const name = nameOf(id)
  const others = ids.filter((other) => other !== id)
  const more = (program.businesses?.length ?? 0) - 1
  if (name === null && id === null) return NONE
  return (
    <>
      {name === null ? <code className={classes.id}>{id}</code> : <bdi title={name}>{name}</bdi>}
      {more > 0 && (
        <span className={classes.more} title={others.map((one) => nameOf(one) ?? one).join(', ')}>
          +{more}
        </span>
      )}
    </>
  )
}

function Features({ features }: { features: string[] | null }) {
  const label = useLabels()
  const [first, ...more] = (features ?? []).map(label.feature)
  if (first === undefined) return NONE
  return (
    <>
      <bdi title={[first, ...more].join(', ')}>{first}</bdi>
      {more.length > 0 && <span className={classes.more}>+{more.length}</span>}
    </>
  )
}
