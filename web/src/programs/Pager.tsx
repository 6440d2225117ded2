import { ActionIcon, NativeSelect } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { number } from '../i18n/format'
import { ChevronLeftIcon, ChevronRightIcon } from '../ui/icons'
import { FirstIcon, LastIcon } from './icons'
import classes from './Pager.module.css'
import { pageCount } from './pages'
import { SIZES, type View } from './view'

interface Props {
  view: Pick<View, 'page' | 'size'>
  from: number
  to: number
  total: number
  onPage(page: number): void
  onSize(size: View['size']): void
}

export function Pager({ view, from, to, total, onPage, onSize }: Props) {
  const { t } = useTranslation('programs')
  const pages = pageCount(total, view.size)
  const step = (label: string, icon: ReactNode, page: number) => {
    const off = page < 1 || page > pages || page === view.page
    return (
      <ActionIcon
        size="lg"
        variant="default"
        aria-label={label}
        title={label}
        // Not `disabled`: the focus would be lost on the last page.
        aria-disabled={off}
        data-disabled={off || undefined}
        onClick={() => off || onPage(page)}
      >
        {icon}
      </ActionIcon>
    )
  }
  return (
    <nav className={classes.pager} aria-label={t('pages')}>
      <NativeSelect
        className={classes.size}
        size="sm"
        label={t('rowsPerPage')}
        data={SIZES.map(String)}
        value={String(view.size)}
        onChange={({ currentTarget: { value } }) => {
          const size = SIZES.find((s) => String(s) === value)
          if (size !== undefined) onSize(size)
        }}
      />
      <p className={classes.range} role="status">
        {t('range', { from: number(from), to: number(to), total: number(total) })}
      </p>
      <div className={classes.steps}>
        {step(t('firstPage'), <FirstIcon />, 1)}
        {step(t('previousPage'), <ChevronLeftIcon />, view.page - 1)}
        {step(t('nextPage'), <ChevronRightIcon />, view.page + 1)}
        {step(t('lastPage'), <LastIcon />, pages)}
      </div>
    </nav>
  )
}
