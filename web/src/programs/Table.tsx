import { ActionIcon } from '@mantine/core'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'

import type { Program } from '../api/types'
import { ChevronDownIcon, ChevronRightIcon, ChevronUpIcon } from '../ui/icons'
import { useCell } from './cells'
import { COLUMNS, FIXED, type ColumnId } from './columns'
import { useLabels } from './labels'
import { Mark, type MarkKind } from './Mark'
import { Name, nameOf } from './Name'
import classes from './Table.module.css'
import type { Change } from './useView'
import { turned, type View } from './view'

export interface RowsProps {
  programs: readonly Program[]
  /** Which of all the first is, from 1. */
  from: number
  total: number
  view: View
  change: Change
  marks: ReadonlyMap<string, MarkKind>
  /** What is shown is of before; newer is on its way. */
  old: boolean
}

const FIGURES = new Set(COLUMNS.filter((c) => c.figure).map((c) => c.id))

export function Table({ programs, from, total, view, change, marks, old }: RowsProps) {
  const { t } = useTranslation('programs')
  return (
    // Wider than the page it scrolls by itself, also by the keyboard.
    <div className={classes.scroll} role="region" aria-label={t('table')} tabIndex={0}>
      <table className={classes.table} aria-busy={old} aria-rowcount={total + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {view.columns.map((id) => (
              <Head key={id} id={id} view={view} change={change} />
            ))}
            <th className={classes.end}>
              <span className="heard">{t('details')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {programs.map((program, i) => (
            <Row
              key={program.program_id}
              index={from + i + 1}
              program={program}
              columns={view.columns}
              open={view.program === program.program_id}
              mark={marks.get(program.program_id)}
              change={change}
            />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Head({ id, view, change }: { id: ColumnId; view: View; change: Change }) {
  const label = useLabels()
  const sorted = view.sort === id
  const direction = view.descending ? 'descending' : 'ascending'
  return (
    <th
      scope="col"
      data-column={id}
      data-figure={FIGURES.has(id) || undefined}
      aria-sort={sorted ? direction : undefined}
    >
      <button
        type="button"
        className={classes.sort}
        data-sorted={sorted || undefined}
        onClick={() => change(turned(view, id))}
      >
        <span>{label.column(id)}</span>
        {sorted && view.descending ? <ChevronDownIcon size={14} /> : <ChevronUpIcon size={14} />}
      </button>
    </th>
  )
}

interface RowProps {
  index: number
  program: Program
  columns: readonly ColumnId[]
  open: boolean
  mark: MarkKind | undefined
  change: Change
}

const Row = memo(function Row({ index, program, columns, open, mark, change }: RowProps) {
  const { t } = useTranslation('programs')
  const cell = useCell()
  return (
    <tr aria-rowindex={index} data-open={open || undefined} data-mark={mark}>
      {columns.map((id) =>
        id === FIXED ? (
          <th key={id} scope="row" data-column={id}>
            <div className={classes.name}>
              <Name program={program} />
              <Mark kind={mark} />
            </div>
          </th>
        ) : (
          <td key={id} data-column={id} data-figure={FIGURES.has(id) || undefined}>
            {cell(program, id)}
          </td>
        ),
      )}
      <td className={classes.end}>
        <ActionIcon
          size="sm"
          variant="subtle"
          color="gray"
          aria-label={t('detailsOf', { name: nameOf(program) })}
          title={t('details')}
          aria-haspopup="dialog"
          onClick={() => change({ program: program.program_id })}
        >
          <ChevronRightIcon size={16} />
        </ActionIcon>
      </td>
    </tr>
  )
})
