import { PasswordInput } from '@mantine/core'
import { useState, type KeyboardEvent, type RefObject } from 'react'
import { useTranslation } from 'react-i18next'

interface Props {
  input: RefObject<HTMLInputElement>
  label: string
  error: string | null
  autoFocus?: boolean
}

/**
 * Where a token is pasted. It is in this element of the page and nowhere else: not in
 * the state of a component, the address or the browser's storage.
 */
export function TokenField({ input, label, error, autoFocus }: Props) {
  const { t } = useTranslation('analytics')
  const [shown, setShown] = useState(false)
  return (
    <PasswordInput
      ref={input}
      label={label}
      description={t('tokenHelp')}
      // Browsers read over "off", and managers of passwords over this, to keep a token.
      autoComplete="new-password"
      data-1p-ignore
      data-lpignore="true"
      spellCheck={false}
      visible={shown}
      onVisibilityChange={setShown}
      visibilityToggleButtonProps={{
        'aria-label': shown ? t('hideToken') : t('showToken'),
        tabIndex: 0,
        // The library's button takes the mouse and the space bar alone.
        onKeyDown: (event: KeyboardEvent) => {
          if (event.key !== 'Enter') return
          event.preventDefault()
          setShown(!shown)
        },
      }}
      error={error}
      errorProps={{ role: 'alert' }}
      data-autofocus={autoFocus || undefined}
      required
      withAsterisk={false}
    />
  )
}

/** What is in it, without the blanks that come along when it is copied. */
export function tokenIn(input: HTMLInputElement | null): string {
  return (input?.value ?? '').trim()
}

export function clear(input: HTMLInputElement | null): void {
  if (input !== null) input.value = ''
}
