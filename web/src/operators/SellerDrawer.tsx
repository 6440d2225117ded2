import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useEffect, useRef, useState, type FormEvent, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router-dom'

import type { ApiError } from '../api/error'
import { ago, moment, number } from '../i18n/format'
import details from '../programs/Details.module.css'
import { BusyButton } from '../ui/BusyButton'
import { Dialog, SideDrawer } from '../ui/Dialog'
import { AddProducts } from './AddProducts'
import { Failure } from './Failure'
import { soon } from './format'
import classes from './Manage.module.css'
import { useChangeToken, useRemoveSeller } from './queries'
import { fieldOf, reasonOf } from './refusal'
import { tokenTone, useTokenState } from './token'
import { clear, TokenField, tokenIn } from './TokenField'
import type { Seller } from './types'
import { useStop } from './useStop'
import type { Manage } from './view'

interface Props {
  seller: Seller
  part: Exclude<Manage, 'new'>
  onClose(): void
}

/** What there is to a seller: its token, its products, and its end. */
export default function SellerDrawer({ seller, part, onClose }: Props) {
  const { t } = useTranslation('analytics')
  const [asking, setAsking] = useState(false)
  return (
    <SideDrawer
      title={t('manage')}
      onClose={onClose}
      // While something is asked over this one, that is what the key is for.
      closeOnEscape={!asking}
    >
      <div className={details.head}>
        <h2 className={details.name} dir="auto">
          {seller.name}
        </h2>
        <p className={details.sub}>
          <span>{t('number', { id: seller.id })}</span>
          <span>{seller.timeZone}</span>
          {seller.nextRunAt !== null && <span>{t('next', { when: soon(seller.nextRunAt) })}</span>}
        </p>
      </div>
      <Part title={t('token')}>
        <Token seller={seller} focus={part === 'token'} />
      </Part>
      <Part title={t('table')}>
        <AddProducts seller={seller} focus={part === 'products'} />
      </Part>
      <Part title={t('removeSeller')}>
        <p className={classes.help}>{t('removeHelp')}</p>
        <Button color="red" variant="light" onClick={() => setAsking(true)}>
          {t('removeThis', { name: seller.name })}
        </Button>
        {asking && <Remove seller={seller} onClose={() => setAsking(false)} />}
      </Part>
    </SideDrawer>
  )
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.part}>
      <h3>{title}</h3>
      {children}
    </section>
  )
}

const KINDS = ['base', 'base_secret', 'test', 'personal', 'service'] as const

function Token({ seller, focus }: { seller: Seller; focus: boolean }) {
  const { t } = useTranslation('analytics')
  const change = useChangeToken()
  const state = useTokenState()(seller)
  const tone = tokenTone(seller)
  const [error, setError] = useState<string | null>(null)
  const [failure, setFailure] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  // Another field each time: one that is hidden, and has nothing to undo.
  const [taken, setTaken] = useState(0)
  const input = useRef<HTMLInputElement>(null)
  const kind = KINDS.find((one) => one === seller.tokenKind) ?? 'unknown'
  const ends = seller.tokenExpiresAt

  useEffect(() => {
    // The one before has taken the keyboard with it.
    if (taken > 0 && document.activeElement === document.body) input.current?.focus()
  }, [taken])

  const at = (text: string) => {
    setError(text)
    input.current?.focus()
  }

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (busy) return
    setError(null)
    setFailure(null)
    const token = tokenIn(input.current)
    if (token === '') return at(t('tokenMissing'))
    setBusy(true)
    try {
      await change(seller.id, token)
      clear(input.current)
      setTaken((n) => n + 1)
      notifications.show({ message: t('tokenChanged', { name: seller.name }), color: 'green' })
    } catch (thrown) {
      if (fieldOf(thrown) !== 'token') return setFailure(thrown)
      clear(input.current)
      at(reasonOf(thrown as ApiError, t))
    } finally {
      setBusy(false)
    }
  }

  return (
    <>
      <dl className={details.values}>
        <div>
          <dt>{t('tokenState')}</dt>
          <dd>
            <span className={classes.state} data-tone={tone}>
              {tone === 'wait' ? t('token_soon') : state}
            </span>
          </dd>
        </div>
        <div>
          <dt>{t('tokenEnds')}</dt>
          <dd>
            {ends === null ? (
              t('tokenNoEnd')
            ) : (
              <time dateTime={ends}>
                {moment(ends)} ({ago(ends)})
              </time>
            )}
          </dd>
        </div>
        <div>
          <dt>{t('tokenKind')}</dt>
          <dd>{t(`kind_${kind}`)}</dd>
        </div>
      </dl>
      {kind === 'base' && <p className={classes.help}>{t('baseHelp')}</p>}
      <form className={classes.form} onSubmit={(event) => void submit(event)} noValidate>
        <Failure error={failure} />
        <TokenField
          key={taken}
          input={input}
          label={t('newToken')}
          error={error}
          autoFocus={focus}
        />
        <BusyButton type="submit" variant="default" busy={busy}>
          {busy ? t('trying') : t('changeToken')}
        </BusyButton>
      </form>
    </>
  )
}

function Remove({ seller, onClose }: { seller: Seller; onClose(): void }) {
  const { t } = useTranslation(['analytics', 'common'])
  const navigate = useNavigate()
  const remove = useRemoveSeller()
  const stop = useStop()
  const [failure, setFailure] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)

  const perform = async () => {
    if (busy) return
    setFailure(null)
    setBusy(true)
    const signal = stop()
    try {
      await remove(seller.id, signal, () => {
        if (signal.aborted) return
        notifications.show({ message: t('removed', { name: seller.name }), color: 'green' })
        void navigate('/analytics', { replace: true })
      })
    } catch (error) {
      if (signal.aborted) return
      setBusy(false)
      setFailure(error)
    }
  }

  return (
    <Dialog title={t('removeSure', { name: seller.name })} onClose={onClose} centered>
      <Failure error={failure} />
      <p className={classes.sure}>
        {t('removeSureText', { count: seller.products, n: number(seller.products) })}
      </p>
      <div className={classes.buttons}>
        <Button variant="default" data-autofocus onClick={onClose}>
          {t('common:cancel')}
        </Button>
        <BusyButton color="red" busy={busy} onClick={() => void perform()}>
          {t('removeThis', { name: seller.name })}
        </BusyButton>
      </div>
    </Dialog>
  )
}
