import { ActionIcon, Button, NativeSelect } from '@mantine/core'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'

import type { Program } from '../api/types'
import { ChevronDownIcon, ChevronUpIcon } from '../ui/icons'
import classes from './Cards.module.css'
import { useCell } from './cells'
import { COLUMNS, FIXED, isColumn, type ColumnId } from './columns'
import { useLabels } from './labels'
import { Mark, type MarkKind } from './Mark'
import { Name, nameOf } from './Name'
import type { RowsProps } from './Table'
import type { Change } from './useView'
import type { View } from './view'

/** The same rows where a table has no room. */
export function Cards({ programs, view, change, marks, old }: RowsProps) {
  const { t } = useTranslation('programs')
  return (
    <>
      <SortBy view={view} change={change} />
      <ul className={classes.cards} aria-label={t('table')} aria-busy={old}>
        {programs.map((program) => (
          <Card
            key={program.program_id}
            program={program}
            columns={view.columns}
            mark={marks.get(program.program_id)}
            change={change}
          />
        ))}
      </ul>
    </>
  )
}

function SortBy({ view, change }: { view: View; change: Change }) {
  const { t } = useTranslation('programs')
  const label = useLabels()
  return (
    <div className={classes.sort}>
      <NativeSelect
        className={classes.by}
        size="sm"
        label={t('sortBy')}
        data={COLUMNS.map(({ id }) => ({ value: id, label: label.column(id) }))}
        value={view.sort}
        onChange={({ currentTarget: { value } }) =>
          isColumn(value) && change({ sort: value, descending: false })
        }
      />
      <ActionIcon
        size={36}
        variant="default"
        aria-label={view.descending ? t('sortAscending') : t('sortDescending')}
        onClick={() => change({ descending: !view.descending })}
      >
        {view.descending ? <ChevronDownIcon /> : <ChevronUpIcon />}
      </ActionIcon>
    </div>
  )
}

interface CardProps {
  program: Program
  columns: readonly ColumnId[]
  mark: MarkKind | undefined
  change: Change
}

const Card = memo(function Card({ program, columns, mark, change }: CardProps) {
  const { t } = useTranslation('programs')
  const label = useLabels()
  const cell = useCell()
  const rest = columns.filter((id) => id !== FIXED)
  return (
    <li className={classes.card}>
      <div className={classes.name}>
        <Name program={program} />
        <Mark kind={mark} />
      </div>
      <dl className={classes.values}>
        {rest.map((id) => (
          <div key={id} data-column={id}>
            <dt>{label.column(id)}</dt>
            <dd>{cell(program, id)}</dd>
          </div>
        ))}
      </dl>
      <Button
        size="compact-sm"
        variant="default"
        aria-label={t('detailsOf', { name: nameOf(program) })}
        aria-haspopup="dialog"
        onClick={() => change({ program: program.program_id })}
      >
        {t('details')}
      </Button>
    </li>
  )
})
