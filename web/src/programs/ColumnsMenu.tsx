import { Button, Checkbox, Popover } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { ColumnsIcon } from '../ui/icons'
import { COLUMNS, FIXED, ordered, sameColumns, USUAL, type ColumnId } from './columns'
import classes from './ColumnsMenu.module.css'
import { useLabels } from './labels'

interface Props {
  columns: ColumnId[]
  onChange(columns: ColumnId[]): void
}

/** Which columns are shown. */
export function ColumnsMenu({ columns, onChange }: Props) {
  const { t } = useTranslation('programs')
  const label = useLabels()
  const toggle = (id: ColumnId, on: boolean) =>
    onChange(ordered(on ? [...columns, id] : columns.filter((c) => c !== id)))
  return (
    <Popover
      position="bottom-end"
      width="max-content"
      trapFocus
      returnFocus
      shadow="md"
      middlewares={{ flip: true, shift: true, size: true }}
    >
      <Popover.Target>
        <Button variant="default" size="sm" leftSection={<ColumnsIcon size={16} />}>
          {t('columns')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('columns')} className={classes.dropdown}>
        <div className={classes.list}>
          {COLUMNS.map(({ id }) => (
            <Checkbox
              key={id}
              size="sm"
              label={label.column(id)}
              checked={columns.includes(id)}
              disabled={id === FIXED}
              onChange={(event) => toggle(id, event.currentTarget.checked)}
            />
          ))}
        </div>
        <Button
          mt="sm"
          size="compact-sm"
          variant="subtle"
          disabled={sameColumns(columns, USUAL)}
          onClick={() => onChange([...USUAL])}
        >
          {t('usualColumns')}
        </Button>
      </Popover.Dropdown>
    </Popover>
  )
}
