import { Alert, Button, Checkbox, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { AlertIcon } from '../ui/icons'
import { useSession } from './context'
import { useLoginFailure } from './failure'

interface Props {
  /** Given when this person has to sign in again. */
  user?: string
}

export function LoginForm({ user }: Props) {
  const { t } = useTranslation('login')
  const session = useSession()
  const told = useLoginFailure()
  const [failure, setFailure] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { user: user ?? '', password: '', keep: session.kept },
    validate: {
      user: (value) => {
        if (value === '') return t('userMissing')
        return value.includes(':') ? t('userColon') : null
      },
      password: (value) => (value === '' ? t('passwordMissing') : null),
    },
  })

  const submit = form.onSubmit(async (values) => {
    setBusy(true)
    setFailure(null)
    try {
      await session.signIn(values.user, values.password, values.keep)
    } catch (error) {
      setFailure(error)
      form.getInputNode('password')?.focus()
    } finally {
      setBusy(false)
    }
  })

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        {failure !== null && (
          <Alert color="red" variant="light" icon={<AlertIcon />} role="alert">
            {told(failure)}
          </Alert>
        )}
        <TextInput
          label={t('user')}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          dir="auto"
          maxLength={255}
          readOnly={user !== undefined}
          data-autofocus={user === undefined || undefined}
          autoFocus={user === undefined}
          key={form.key('user')}
          {...form.getInputProps('user')}
        />
        <PasswordInput
          label={t('password')}
          autoComplete="current-password"
          visibilityToggleButtonProps={{ 'aria-label': t('showPassword'), tabIndex: 0 }}
          maxLength={1024}
          data-autofocus={user !== undefined || undefined}
          key={form.key('password')}
          {...form.getInputProps('password')}
        />
        <Checkbox
          label={t('keep')}
          description={t('keepHelp')}
          key={form.key('keep')}
          {...form.getInputProps('keep', { type: 'checkbox' })}
        />
        <Button type="submit" fullWidth aria-disabled={busy} loading={busy}>
          {busy ? t('checking') : t('submit')}
        </Button>
      </Stack>
    </form>
  )
}
