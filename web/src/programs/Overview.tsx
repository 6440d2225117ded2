import { useMediaQuery } from '@mantine/hooks'
import { useTranslation } from 'react-i18next'

import type { Filters, Status } from '../api/types'
import { number } from '../i18n/format'
import { useLabels } from './labels'
import classes from './Overview.module.css'
import type { Change } from './useView'
import { STATUSES, type View } from './view'

interface Props {
  view: View
  change: Change
  filters: Filters
}

/** Where there is little room it is folded until somebody wants it. */
export default function Overview(props: Props) {
  const { t } = useTranslation('programs')
  const narrow = useMediaQuery('(max-width: 40em)', false, { getInitialValueInEffect: false })
  if (!narrow) return <Counts {...props} />
  return (
    <details className={classes.folded}>
      <summary>{t('overview')}</summary>
      <Counts {...props} />
    </details>
  )
}

/** How many programs there are of each status and type; each is a filter to be tried. */
function Counts({ view, change, filters }: Props) {
  const { t } = useTranslation('programs')
  const label = useLabels()
  const statuses = STATUSES.map((value) => ({
    value,
    count: filters.statuses.find((s) => s.value === value)?.count ?? 0,
  }))
  const most = Math.max(1, ...filters.types.map((type) => type.count))
  const setStatus = (status: Status) => change({ status: view.status === status ? null : status })
  const setType = (type: string) => change({ type: view.type === type ? null : type })
  return (
    <div className={classes.overview}>
      <section className={classes.panel} aria-labelledby="by-status">
        <h2 id="by-status" className={classes.title}>
          {t('byStatus')}
        </h2>
        <Share parts={statuses} />
        <ul className={classes.statuses}>
          {statuses.map(({ value, count }) => (
            <li key={value}>
              <button
                type="button"
                className={classes.status}
                data-status={value}
                aria-pressed={view.status === value}
                onClick={() => setStatus(value)}
              >
                <span className={classes.statusName}>{label.status(value)}</span>
                <Count count={count} />
              </button>
            </li>
          ))}
        </ul>
      </section>
      {filters.types.length > 0 && (
        <section className={classes.panel} aria-labelledby="by-type">
          <h2 id="by-type" className={classes.title}>
            {t('byType')}
          </h2>
          <ul className={classes.types}>
            {filters.types.map(({ value, count }) => (
              <li key={value}>
                <button
                  type="button"
                  className={classes.type}
                  aria-pressed={view.type === value}
                  onClick={() => setType(value)}
                >
                  <bdi className={classes.typeName} title={label.type(value)}>
                    {label.type(value)}
                  </bdi>
                  <span className={classes.track} aria-hidden="true">
                    <span className={classes.fill} style={{ width: `${(count / most) * 100}%` }} />
                  </span>
                  <Count count={count} />
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}

function Count({ count }: { count: number }) {
  const { t } = useTranslation('programs')
  return (
    <>
      <span className={classes.count} aria-hidden="true">
        {number(count)}
      </span>
      <span className="heard">{t('programs', { count, n: number(count) })}</span>
    </>
  )
}

/** One bar of all; what it says is in the list below it. */
function Share({ parts }: { parts: { value: Status; count: number }[] }) {
  return (
    <div className={classes.share} aria-hidden="true">
      {parts
        .filter(({ count }) => count > 0)
        .map(({ value, count }) => (
          <span key={value} data-status={value} style={{ flexGrow: count }} />
        ))}
    </div>
  )
}
