import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ago, number } from '../i18n/format'
import classes from '../programs/Details.module.css'
import { BusyButton } from '../ui/BusyButton'
import { Dialog, SideDrawer } from '../ui/Dialog'
import { Notice } from '../ui/Notice'
import { Waiting } from '../ui/Waiting'
import { NoData, Status, useName } from './cells'
import { Chart } from './Chart'
import chart from './Chart.module.css'
import { Failure } from './Failure'
import { figure, FIGURES, isFigure, period } from './format'
import manage from './Manage.module.css'
import { NotNewer } from './NotNewer'
import { isGone, useProduct, useRemoveProduct } from './queries'
import type { Product, ProductPast, SearchText, Seller } from './types'
import { useStop } from './useStop'
import { useWhy, useWhyError } from './useWhy'

interface Props {
  seller: Seller
  id: number
  onClose(): void
}

/** All of one product: its figures, their past and its search texts. */
export default function ProductDrawer({ seller, id, onClose }: Props) {
  const { t } = useTranslation(['analytics', 'operators'])
  const why = useWhyError()
  const { data, error, refetch } = useProduct(seller.id, id)
  const [wanted, setAsking] = useState(false)
  const gone = isGone(error)
  const asking = wanted && !gone
  return (
    // While something is asked over this one, that is what the key is for.
    <SideDrawer title={t('details')} onClose={onClose} closeOnEscape={!asking}>
      {gone ? (
        <Notice title={t('noSuchProduct')} />
      ) : data !== undefined ? (
        <>
          <NotNewer alone error={error} onRetry={() => void refetch()} />
          <Body product={data} />
          <section className={manage.part}>
            <Button color="red" variant="light" onClick={() => setAsking(true)}>
              {t('removeProduct')}
            </Button>
          </section>
          {asking && (
            <Remove
              seller={seller}
              product={data}
              onClose={() => setAsking(false)}
              onGone={onClose}
            />
          )}
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
  const { textsPeriodStart, textsPeriodEnd } = product
  const textsOf = period({ periodStart: textsPeriodStart, periodEnd: textsPeriodEnd })
  const asFigures =
    textsOf === null ||
    (textsPeriodStart === product.periodStart && textsPeriodEnd === product.periodEnd)
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
      <div className={classes.live} data-tone={toneOf(product)}>
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
        <h3>
          {t('queries')}
          {textsOf !== null && ` · ${t('period', textsOf)}`}
        </h3>
        <Texts
          texts={product.topSearchQueries}
          none={asFigures ? t('noQueries') : t('noQueriesThen', textsOf)}
        />
      </section>
    </>
  )
}

/** Of the last try; none where there was none. */
function toneOf({ syncStatus }: Product): 'good' | 'warn' | undefined {
  if (syncStatus === null) return undefined
  return syncStatus === 'success' ? 'good' : 'warn'
}

const COLUMNS = ['openCard', 'addToCart', 'orders', 'avgPosition'] as const

function Texts({ texts, none }: { texts: SearchText[] | null; none: string }) {
  const { t } = useTranslation('analytics')
  if (texts === null) return <NoData />
  if (texts.length === 0) return <p>{none}</p>
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

interface RemoveProps {
  seller: Seller
  product: Product
  onClose(): void
  onGone(): void
}

function Remove({ seller, product, onClose, onGone }: RemoveProps) {
  const { t } = useTranslation(['analytics', 'common'])
  const name = useName()(product)
  const remove = useRemoveProduct()
  const stop = useStop()
  const [failure, setFailure] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)

  const perform = async () => {
    setFailure(null)
    setBusy(true)
    const signal = stop()
    try {
      await remove(seller.id, product.nmId, signal, () => {
        if (signal.aborted) return
        notifications.show({ message: t('productRemoved', { name }), color: 'green' })
        onGone()
      })
    } catch (error) {
      if (signal.aborted) return
      setBusy(false)
      setFailure(error)
    }
  }

  return (
    <Dialog title={t('removeProductSure', { name })} onClose={onClose} centered>
      <Failure error={failure} />
      <p className={manage.sure}>
        {t('removeProductText')} {seller.allProducts && t('removeProductBack')}
      </p>
      <div className={manage.buttons}>
        <Button variant="default" data-autofocus onClick={onClose}>
          {t('common:cancel')}
        </Button>
        <BusyButton color="red" busy={busy} onClick={() => void perform()}>
          {t('removeProduct')}
        </BusyButton>
      </div>
    </Dialog>
  )
}
