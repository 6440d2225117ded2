import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'

import { ago, number } from '../i18n/format'
import classes from '../programs/Details.module.css'
import { SideDrawer } from '../ui/Dialog'
import { Notice } from '../ui/Notice'
import { Waiting } from '../ui/Waiting'
import { NoData, Status, useName } from './cells'
import { Chart } from './Chart'
import chart from './Chart.module.css'
import { figure, FIGURES, isFigure, period } from './format'
import { NotNewer } from './NotNewer'
import { isGone, useProduct } from './queries'
import type { ProductPast, SearchText } from './types'
import { useWhy, useWhyError } from './useWhy'

interface Props {
  seller: number
  id: number
  onClose(): void
}

/** All of one product: its figures, their past and its search texts. */
export default function ProductDrawer({ seller, id, onClose }: Props) {
  const { t } = useTranslation(['analytics', 'operators'])
  const why = useWhyError()
  const { data, error, refetch } = useProduct(seller, id)
  return (
    <SideDrawer title={t('details')} onClose={onClose}>
      {isGone(error) ? (
        <Notice title={t('noSuchProduct')} />
      ) : data !== undefined ? (
        <>
          <NotNewer alone error={error} onRetry={() => void refetch()} />
          <Body product={data} />
        </>
      ) : error === null ? (
        <Waiting />
      ) : (
        <Notice title={t('operators:failedToLoad', { reason: why(error) })}>
          <Button variant="default" onClick={() => void refetch()}>
            {t('operators:tryAgain')}
          </Button>
        </Notice>
      )}
    </SideDrawer>
  )
}

function Body({ product }: { product: ProductPast }) {
  const { t } = useTranslation('analytics')
  const why = useWhy()
  const name = useName()(product)
  const of = period(product)
  const ids = [product.nmId, product.vendorCode, product.brand, product.subject]
  return (
    <>
      <div className={classes.head}>
        <h2 className={classes.name} dir="auto">
          {name}
        </h2>
        <p className={classes.sub}>
          {ids.map((text, i) => text !== null && <span key={i}>{text}</span>)}
        </p>
      </div>
      <div className={classes.live} data-tone={product.syncError === null ? 'good' : 'warn'}>
        <p>
          <Status product={product} />
          {product.syncError !== null && (
            <>
              {': '}
              {why(product.syncError.code, product.syncError.detail)}
            </>
          )}
          {product.lastAttemptAt !== null && (
            <small className={classes.state}>
              {t('lastAttempt', {
                when: ago(product.lastAttemptAt),
              })}
            </small>
          )}
        </p>
      </div>
      <section className={classes.group}>
        <h3>{t('history')}</h3>
        <Chart history={product.history} />
      </section>
      <section className={classes.group}>
        <h3>
          {t('figures')}
          {of !== null && ` · ${t('period', of)}`}
        </h3>
        <dl className={classes.values}>
          {Object.keys(FIGURES)
            .filter(isFigure)
            .map((one) => (
              <div key={one}>
                <dt>{t(`column_${one}`)}</dt>
                <dd>{figure(one, product[one], product.currency) ?? <NoData />}</dd>
              </div>
            ))}
        </dl>
      </section>
      <section className={classes.group}>
        <h3>{t('queries')}</h3>
        <Texts texts={product.topSearchQueries} />
      </section>
    </>
  )
}

const COLUMNS = ['openCard', 'addToCart', 'orders', 'avgPosition'] as const

function Texts({ texts }: { texts: SearchText[] | null }) {
  const { t } = useTranslation('analytics')
  if (texts === null) return <NoData />
  if (texts.length === 0) return <p>{t('noQueries')}</p>
  const heads = {
    openCard: t('column_views'),
    addToCart: t('column_addToCart'),
    orders: t('column_orders'),
    avgPosition: t('avgPosition'),
  }
  return (
    <table className={`${chart.table} ${classes.values}`}>
      <thead>
        <tr>
          <th scope="col">{t('query')}</th>
          {COLUMNS.map((column) => (
            <th key={column} scope="col">
              {heads[column]}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {texts.map((one, i) => (
          <tr key={i}>
            <td dir="auto">{one.query}</td>
            {COLUMNS.map((column) => (
              <td key={column}>{one[column] === null ? <NoData /> : number(one[column])}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
