import { NativeSelect } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useId, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { day } from '../programs/format'
import { dayNumber, lines, place, type Box } from './chart'
import classes from './Chart.module.css'
import { axis, figure, FIGURES, isFigure, type Figure } from './format'
import type { Period } from './types'

const WIDE: Box = { width: 480, height: 190, left: 60, right: 12, top: 12, bottom: 24 }
// Drawn at about its own size too, so that its words stay as large.
const NARROW: Box = { ...WIDE, width: 290, height: 160 }
const CHOICES: readonly Figure[] = [
  'views',
  'addToCart',
  'orders',
  'revenue',
  'ctr',
  'conversionRate',
  'buyouts',
  'totalQueries',
]

/** A figure of a product over its periods; the same as a table for who wants that. */
export function Chart({ history }: { history: readonly Period[] }) {
  const { t } = useTranslation('analytics')
  const [name, setName] = useState<Figure>('revenue')
  const periods = [...history].reverse()
  return (
    <>
      <NativeSelect
        size="sm"
        label={t('figure')}
        data={CHOICES.map((value) => ({
          value,
          label: t(`column_${value}`),
        }))}
        value={name}
        onChange={({ currentTarget: { value } }) => isFigure(value) && setName(value)}
      />
      <Line name={name} periods={periods} />
      {periods.length > 0 && (
        <details className={classes.values}>
          <summary>{t('chartTable')}</summary>
          <Values name={name} history={history} />
        </details>
      )}
    </>
  )
}

function valueOf(name: Figure, period: Period): number | null {
  return (period as Partial<Record<Figure, number | null>>)[name] ?? null
}

function Line({ name, periods }: { name: Figure; periods: readonly Period[] }) {
  const { t } = useTranslation('analytics')
  const title = useId()
  const narrow = useMediaQuery('(max-width: 40em)', false, { getInitialValueInEffect: false })
  const box = narrow ? NARROW : WIDE
  const { points, top } = place(
    periods.map((period) => ({
      at: dayNumber(period.periodEnd ?? ''),
      value: valueOf(name, period),
    })),
    box,
  )
  const first = points[0]
  const last = points.at(-1)
  if (first === undefined || last === undefined) return <p>{t('chartEmpty')}</p>
  const end = (i: number) => day(periods[i]?.periodEnd ?? '')
  const bottom = box.height - box.bottom
  const right = box.width - box.right
  const said = (i: number) =>
    figure(name, valueOf(name, periods[i]!), periods[i]!.currency) ?? t('chartEmpty')
  return (
    <figure className={classes.figure}>
      <svg viewBox={`0 0 ${box.width} ${box.height}`} role="img" aria-labelledby={title}>
        <title id={title}>
          {t('chartOf', {
            figure: t(`column_${name}`),
            n: points.length,
            first: said(first.i),
            last: said(last.i),
          })}
        </title>
        {[0, 0.5, 1].map((share) => {
          const y = bottom - share * (bottom - box.top)
          return (
            <g key={share} className={classes.grid}>
              <line x1={box.left} x2={right} y1={y} y2={y} />
              <text x={box.left - 6} y={y} textAnchor="end" dominantBaseline="middle">
                {axis(name, share * top)}
              </text>
            </g>
          )
        })}
        <path className={classes.line} d={lines(points)} />
        {points.map(({ x, y, i }) => (
          <circle key={i} className={classes.point} cx={x} cy={y} r={points.length > 40 ? 1.5 : 3}>
            <title>{`${end(i)}: ${said(i)}`}</title>
          </circle>
        ))}
        {periods.length === 1 && (
          <g className={classes.grid}>
            <text x={(box.left + right) / 2} y={box.height - 6} textAnchor="middle">
              {end(0)}
            </text>
          </g>
        )}
        {periods.length > 1 && (
          <g className={classes.grid}>
            <text x={box.left} y={box.height - 6}>
              {end(0)}
            </text>
            <text x={right} y={box.height - 6} textAnchor="end">
              {end(periods.length - 1)}
            </text>
          </g>
        )}
      </svg>
      {periods.length === 1 && <figcaption>{t('chartOne')}</figcaption>}
    </figure>
  )
}

function Values({ name, history }: { name: Figure; history: readonly Period[] }) {
  const { t } = useTranslation(['analytics', 'operators'])
  return (
    <table className={classes.table}>
      <thead>
        <tr>
          <th scope="col">{t('periodEnd')}</th>
          <th scope="col" data-kind={FIGURES[name]}>
            {t(`column_${name}`)}
          </th>
        </tr>
      </thead>
      <tbody>
        {history.map((period) => (
          <tr key={`${period.periodStart} ${period.periodEnd}`}>
            <td>{day(period.periodEnd ?? '')}</td>
            <td>{figure(name, valueOf(name, period), period.currency) ?? t('operators:noData')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
