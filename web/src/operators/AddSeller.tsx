import { Button, Checkbox, NativeSelect, Stack, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router-dom'

import type { ApiError } from '../api/error'
import { BusyButton } from '../ui/BusyButton'
import { Dialog } from '../ui/Dialog'
import { Failure } from './Failure'
import classes from './Manage.module.css'
import { useAddProducts, useAddSeller } from './queries'
import { fieldOf, reasonOf, type Field } from './refusal'
import { clear, TokenField, tokenIn } from './TokenField'
import { useStop } from './useStop'
import { useWhyError } from './useWhy'

const ZONE = 'Europe/Moscow'
const NAME_MAX = 255

/** A seller's name and token, and whether all of its products are taken. */
export default function AddSeller({ onClose }: { onClose(): void }) {
  const { t } = useTranslation('analytics')
  return (
    <Dialog title={t('addSeller')} onClose={onClose}>
      <Form onClose={onClose} />
    </Dialog>
  )
}

function Form({ onClose }: { onClose(): void }) {
  const { t } = useTranslation(['analytics', 'common'])
  const why = useWhyError()
  const navigate = useNavigate()
  const addSeller = useAddSeller()
  const addProducts = useAddProducts()
  // Who takes it back, or goes elsewhere, hears no more of it.
  const stop = useStop()
  const [errors, setErrors] = useState<Partial<Record<Field, string>>>({})
  const [failure, setFailure] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const name = useRef<HTMLInputElement>(null)
  const token = useRef<HTMLInputElement>(null)
  const zone = useRef<HTMLSelectElement>(null)
  const all = useRef<HTMLInputElement>(null)
  const nodes = { name, token, timeZone: zone }

  const at = (field: Field, text: string) => {
    setErrors({ [field]: text })
    nodes[field].current?.focus()
  }

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (busy) return
    setErrors({})
    setFailure(null)
    const named = name.current?.value.trim() ?? ''
    const given = tokenIn(token.current)
    if (named === '') return at('name', t('nameMissing'))
    if (given === '') return at('token', t('tokenMissing'))
    const added = { name: named, token: given, timeZone: zone.current?.value ?? ZONE }
    const ticked = all.current?.checked ?? false
    const signal = stop()
    setBusy(true)
    try {
      const seller = await addSeller(added, signal)
      clear(token.current)
      if (!signal.aborted) {
        notifications.show({ message: t('sellerAdded', { name: seller.name }), color: 'green' })
      }
      if (ticked) await takeAll(seller.id, signal)
      else if (!signal.aborted) void toProducts(seller.id)
    } catch (error) {
      if (signal.aborted) return
      setBusy(false)
      const field = fieldOf(error)
      if (field === null) return setFailure(error)
      // Another one has to be pasted; nothing is kept of one that was refused.
      if (field === 'token') clear(token.current)
      at(field, reasonOf(error as ApiError, t))
    }
  }

  const toProducts = (id: number) => navigate(`/analytics?seller=${id}&manage=products`)

  // The seller is there, whatever becomes of this; so what was ticked is done in any case.
  const takeAll = async (id: number, signal: AbortSignal) => {
    try {
      await addProducts(id, { all: true })
      if (!signal.aborted) void navigate(`/analytics?seller=${id}`)
    } catch (error) {
      notifications.show({ title: t('notAdded'), message: why(error), color: 'red' })
      if (!signal.aborted) void toProducts(id)
    }
  }

  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      <Stack gap="md">
        <Failure error={failure} />
        <TextInput
          ref={name}
          label={t('sellerName')}
          description={t('sellerNameHelp')}
          autoComplete="off"
          dir="auto"
          maxLength={NAME_MAX}
          error={errors.name}
          errorProps={{ role: 'alert' }}
          required
          withAsterisk={false}
          data-autofocus
        />
        <TokenField input={token} label={t('token')} error={errors.token ?? null} />
        <NativeSelect
          ref={zone}
          label={t('timeZone')}
          description={t('timeZoneHelp')}
          data={zones()}
          defaultValue={ZONE}
          error={errors.timeZone}
          errorProps={{ role: 'alert' }}
        />
        <Checkbox ref={all} label={t('takeAll')} description={t('takeAllHelp')} defaultChecked />
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            {t('common:cancel')}
          </Button>
          <BusyButton type="submit" busy={busy}>
            {busy ? t('trying') : t('addSeller')}
          </BusyButton>
        </div>
      </Stack>
    </form>
  )
}

/** All that the browser knows; an old one at least the usual one. */
function zones(): string[] {
  const known = 'supportedValuesOf' in Intl ? Intl.supportedValuesOf('timeZone') : []
  return known.includes(ZONE) ? known : [ZONE, ...known]
}
