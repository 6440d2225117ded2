import { useTranslation } from 'react-i18next'

import { ago, moment } from '../i18n/format'
import classes from './Products.module.css'
import { figure, isFigure } from './format'
import type { Product } from './types'
import { useWhy } from './useWhy'
import { STATUSES, type Column } from './view'

/** A missing figure is a dash, and said to be missing. */
export function NoData() {
  const { t } = useTranslation('operators')
  return (
    <>
      <span className={classes.none} aria-hidden="true">
        —
      </span>
      <span className="heard">{t('noData')}</span>
    </>
  )
}

export function Value({ product, column }: { product: Product; column: Exclude<Column, 'title'> }) {
  if (column === 'syncStatus') return <Status product={product} />
  if (column === 'lastSyncAt') {
    const at = product.lastSyncAt
    return at === null ? (
      <NoData />
    ) : (
      <time dateTime={at} title={ago(at)}>
        {moment(at)}
      </time>
    )
  }
  if (!isFigure(column)) return <NoData />
  return figure(column, product[column], product.currency) ?? <NoData />
}

/** How the last try ended; whatever that was, the figures are the last good ones. */
export function Status({ product }: { product: Product }) {
  const { t } = useTranslation('analytics')
  const why = useWhy()
  const status = STATUSES.find((s) => s === product.syncStatus) ?? 'none'
  const error = product.syncError
  return (
    <span
      className={classes.status}
      data-status={status}
      title={error === null ? undefined : why(error.code, error.detail)}
    >
      {t(`status_${status}`)}
    </span>
  )
}

export function useName(): (product: Product) => string {
  const { t } = useTranslation('analytics')
  return ({ title, nmId }) => title ?? t('product', { id: nmId })
}
