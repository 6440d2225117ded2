import { Button, type ButtonProps } from '@mantine/core'
import type { ComponentPropsWithoutRef } from 'react'

type Props = Omit<ButtonProps, 'loading' | 'disabled'> &
  Omit<ComponentPropsWithoutRef<'button'>, keyof ButtonProps | 'disabled'> & { busy: boolean }

/**
 * A button that takes no second press while what it has begun goes on. It is not
 * disabled, as a disabled one lets go of the keyboard, and keeps its words.
 */
export function BusyButton({ busy, onClick, ...rest }: Props) {
  return (
    <Button
      {...rest}
      aria-disabled={busy}
      data-disabled={busy || undefined}
      onClick={(event) => {
        // A press that would send its form, too.
        if (busy) event.preventDefault()
        else onClick?.(event)
      }}
    />
  )
}
