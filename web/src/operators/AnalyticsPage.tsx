import { Button, Text, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router-dom'

import { ApiError } from '../api/error'
import { ago, duration } from '../i18n/format'
import { useNow } from '../sync/now'
import panel from '../sync/SyncPanel.module.css'
import { BusyButton } from '../ui/BusyButton'
import { AlertIcon, InboxIcon, PlusIcon, SettingsIcon, SyncIcon } from '../ui/icons'
import { Notice } from '../ui/Notice'
import { Waiting } from '../ui/Waiting'
import classes from './Manage.module.css'
import { NotNewer } from './NotNewer'
import { Products } from './Products'
import { useNewProducts, useSellers, useStart } from './queries'
import { RunOf } from './RunCard'
import { Sellers } from './Sellers'
import { tokenTone, useTokenState } from './token'
import type { Seller, Task } from './types'
import { useView, type Change } from './useView'
import { useWhyError } from './useWhy'
import type { View } from './view'

const ProductDrawer = lazy(() => import('./ProductDrawer'))
const SellerDrawer = lazy(() => import('./SellerDrawer'))
const AddSeller = lazy(() => import('./AddSeller'))

export function AnalyticsPage() {
  const { view, change } = useView()
  return (
    <>
      <Page view={view} change={change} />
      <Suspense fallback={null}>
        {view.manage === 'new' && <AddSeller onClose={() => change({ manage: null }, 'replace')} />}
      </Suspense>
    </>
  )
}

function Page({ view, change }: Pick<Props, 'view' | 'change'>) {
  const { t } = useTranslation(['analytics', 'operators'])
  const why = useWhyError()
  const { data: sellers, error, refetch } = useSellers()
  if (sellers === undefined) {
    if (error === null) return <Waiting />
    return (
      <>
        <Title order={1}>{t('title')}</Title>
        <Notice title={t('operators:failedToLoad', { reason: why(error) })}>
          <Button variant="default" onClick={() => void refetch()}>
            {t('operators:tryAgain')}
          </Button>
        </Notice>
      </>
    )
  }
  const notNewer = <NotNewer alone error={error} onRetry={() => void refetch()} />
  const seller = view.seller === null ? sellers[0] : sellers.find((one) => one.id === view.seller)
  if (seller === undefined) {
    return (
      <>
        {notNewer}
        <Title order={1}>{t('title')}</Title>
        {sellers.length === 0 ? (
          <Notice icon={<InboxIcon />} title={t('noSellers')} text={t('noSellersText')}>
            <Button
              component={Link}
              to="/analytics?manage=new"
              leftSection={<PlusIcon size={16} />}
            >
              {t('addSeller')}
            </Button>
          </Notice>
        ) : (
          <>
            <Sellers sellers={sellers} chosen={undefined} onAdd={() => change({ manage: 'new' })} />
            <Notice title={t('noSuchSeller')} text={t('noSuchSellerText')} />
          </>
        )}
      </>
    )
  }
  return (
    <>
      {notNewer}
      <OneSeller key={seller.id} {...{ seller, sellers, view, change }} />
    </>
  )
}

interface Props {
  seller: Seller
  sellers: readonly Seller[]
  view: View
  change: Change
}

/** What is older than this is refreshed when the page opens. */
const STALE_HOURS = 24

function OneSeller({ seller, sellers, view, change }: Props) {
  const { t } = useTranslation('analytics')
  const why = useWhyError()
  const tokenState = useTokenState()
  const start = useStart()
  useNewProducts(seller)
  // What is opened is of this seller, also when another one comes to be the first.
  const opened = view.product !== null || (view.manage !== null && view.manage !== 'new')
  const unnamed = opened && view.seller === null
  useEffect(() => {
    if (unnamed) change({ seller: seller.id }, 'replace')
  }, [unnamed, change, seller.id])
  const own = useMemo(() => ({ ...view, seller: seller.id }), [view, seller.id])
  // The run that was seen last, also when it is over.
  const [seen, setSeen] = useState<string | null>(null)
  const task = seller.taskId ?? seen
  useEffect(() => {
    if (seller.taskId !== null) setSeen(seller.taskId)
  }, [seller.taskId])

  const { mutateAsync } = start
  const asked = useRef(false)
  const able = seller.tokenState === 'active' && (seller.products > 0 || seller.allProducts)
  useEffect(() => {
    if (asked.current || !able) return
    asked.current = true
    mutateAsync({ sellerId: seller.id, ifOlderThanHours: STALE_HOURS }).then(
      ({ taskId }) => taskId !== null && setSeen(taskId),
      // Nobody has asked for it; what keeps it from starting shows at the seller.
      () => {},
    )
  }, [able, mutateAsync, seller.id])

  const press = async () => {
    try {
      const begun = await mutateAsync({ sellerId: seller.id })
      setSeen(begun.taskId)
      notifications.show(startedWords(begun))
    } catch (error) {
      notifications.show({
        title: t('startFailed'),
        message: whyNot(error),
        color: 'red',
        autoClose: 10_000,
      })
    }
  }
  // These codes have another meaning here than elsewhere.
  const whyNot = (error: unknown) => {
    const code = error instanceof ApiError ? error.code : null
    if (code === 'unfit_field') return t('noProducts')
    if (code !== 'conflict') return why(error)
    return seller.tokenState === 'active' ? t('token_refused') : tokenState(seller)
  }
  const startedWords = ({ joined, state, etaSeconds }: Task) => {
    if (joined && state === 'paused') {
      return { title: t('joinedPaused'), message: t('joinedPausedText'), color: 'yellow' }
    }
    return {
      title: joined ? t('joined') : t('started'),
      message:
        etaSeconds === undefined || etaSeconds === null
          ? ''
          : t('startedEta', { eta: duration(etaSeconds * 1000) }),
      color: 'green',
    }
  }
  const starting = start.isPending && start.variables.ifOlderThanHours === undefined
  return (
    <>
      <section className={panel.panel} aria-label={t('title')}>
        <div className={panel.head}>
          <div className={panel.words}>
            <Title order={1}>{t('title')}</Title>
            <Freshness seller={seller} />
          </div>
          <div className={classes.row}>
            <Button
              variant="default"
              leftSection={<SettingsIcon size={16} />}
              aria-haspopup="dialog"
              onClick={() => change({ manage: 'seller' })}
            >
              {t('manage')}
            </Button>
            <BusyButton
              leftSection={<SyncIcon size={16} />}
              busy={starting}
              onClick={() => void press()}
            >
              {starting ? t('starting') : t('sync')}
            </BusyButton>
          </div>
        </div>
        <TokenNote seller={seller} onChange={() => change({ manage: 'token' })} />
        {task !== null && <RunOf key={task} id={task} />}
      </section>
      <Sellers sellers={sellers} chosen={seller.id} onAdd={() => change({ manage: 'new' })} />
      <Products seller={seller} view={own} change={change} />
      <Suspense fallback={null}>
        {view.product !== null && (
          <ProductDrawer
            key={view.product}
            seller={seller}
            id={view.product}
            onClose={() => change({ product: null }, 'replace')}
          />
        )}
        {view.manage !== null && view.manage !== 'new' && (
          <SellerDrawer
            seller={seller}
            part={view.manage}
            onClose={() => change({ manage: null }, 'replace')}
          />
        )}
      </Suspense>
    </>
  )
}

/** What will stop the runs, or has, and the way out. */
function TokenNote({ seller, onChange }: { seller: Seller; onChange(): void }) {
  const { t } = useTranslation('analytics')
  const state = useTokenState()(seller)
  const tone = tokenTone(seller)
  if (tone === 'good') return null
  return (
    <div className={classes.warn} data-tone={tone} role="note">
      <AlertIcon />
      <p>{state}</p>
      <Button variant="default" size="compact-sm" aria-haspopup="dialog" onClick={onChange}>
        {t('changeToken')}
      </Button>
    </div>
  )
}

/** When its data is of; the oldest too, where that is another day's. */
function Freshness({ seller }: { seller: Seller }) {
  const { t } = useTranslation('analytics')
  const now = Math.max(useNow(10_000), Date.now())
  const { lastSyncAt: newest, oldestSyncAt: oldest } = seller
  if (newest === null) {
    return (
      <Text c="dimmed" size="sm">
        <bdi>{seller.name}</bdi> · {t('never')}
      </Text>
    )
  }
  const DAY_MS = 86_400_000
  const behind = oldest !== null && Date.parse(newest) - Date.parse(oldest) > DAY_MS
  return (
    <Text c="dimmed" size="sm">
      <bdi>{seller.name}</bdi> · {t('fresh', { when: ago(newest, now) })}
      {behind && `, ${t('freshOldest', { when: ago(oldest, now) })}`}
    </Text>
  )
}
